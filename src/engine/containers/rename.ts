import { publishNames } from "#engine/networks/name-records.ts";
import { BerthError, InvalidParameterError } from "#errors/errors.ts";
import type { ContainerContext } from "./container-context.ts";
import { type ContainerRecord, eventAttributes } from "./container-record.ts";
import { checkName } from "./request/validate-create.ts";

/** Gives a container another name. Throws ConflictError when it is taken, InvalidParameterError when it breaks the rule. */
export async function renameContainer(context: ContainerContext, id: string, newName: string): Promise<void> {
  const name = newName.replace(/^\//, "");
  if (name === "") throw new InvalidParameterError("Neither old nor new names may be empty");
  // One that is being started or ends tells its networks of its name just then.
  await context.locks.run(id, () => rename(context, id, name));
}

async function rename(context: ContainerContext, id: string, name: string): Promise<void> {
  const before = context.containers.get(id);
  if (before.name === name)
    throw new InvalidParameterError("Renaming a container with the same name as its current name");
  const after = take(context, id, name);
  await publishNames(context, after, after.sandbox);
  context.events.publish("container", "rename", id, eventAttributes(after, { oldName: `/${before.name}` }));
}

function take(context: ContainerContext, id: string, name: string): ContainerRecord {
  try {
    // With its slash, as Docker names it here.
    checkName(name, `/${name}`);
    return context.containers.rename(id, name);
  } catch (error) {
    if (error instanceof BerthError) error.message = `Error when allocating new name: ${error.message}`;
    throw error;
  }
}
