import { InvalidParameterError } from "#errors/errors.ts";
import type { ContainerContext } from "./container-context.ts";
import { eventAttributes } from "./container-record.ts";
import { checkName } from "./validate-create.ts";

/** Gives a container another name. Throws ConflictError when it is taken, InvalidParameterError when it breaks the rule. */
export function renameContainer(context: ContainerContext, id: string, newName: string): void {
  const name = newName.replace(/^\//, "");
  if (name === "") throw new InvalidParameterError("Neither old nor new names may be empty");
  checkName(name);
  const before = context.containers.get(id);
  if (before.name === name)
    throw new InvalidParameterError("Renaming a container with the same name as its current name");
  const after = context.containers.rename(id, name);
  context.events.publish("container", "rename", id, eventAttributes(after, { oldName: `/${before.name}` }));
}
