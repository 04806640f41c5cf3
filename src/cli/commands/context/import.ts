import { ConflictError } from "#errors/errors.ts";
import { readContextArchive } from "../../context/context-archive.ts";
import { ContextStore, checkContextName } from "../../context/context-store.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { openInput } from "../../transfer/input-file.ts";

export const command: Command = defineCommand({
  usage: "CONTEXT FILE|-",
  about: "Import a context from a tar or zip file",
  arguments: exactly(2),
  offline: true,
  flags: {},
  async run({ args: [name = "", file = ""] }, { configDirectory, streams }) {
    checkContextName(name);
    const store = new ContextStore(configDirectory);
    if (store.has(name)) throw new ConflictError(`context "${name}" already exists`);
    const { context, tls } = await readContextArchive(file === "-" ? streams.stdin.bytes() : await openInput(file));
    await store.create({ ...context, Name: name }, tls);
    await streams.stdout.write(`${name}\n`);
    await streams.stderr.write(`Successfully imported context "${name}"\n`);
    return 0;
  },
});
