import { createReadStream, existsSync } from "node:fs";
import { ConflictError, NotFoundError } from "#errors/errors.ts";
import { readContextArchive } from "../../context/context-archive.ts";
import { ContextStore, checkContextName } from "../../context/context-store.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";

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
    if (file !== "-" && !existsSync(file)) throw new NotFoundError(`open ${file}: no such file or directory`);
    const { context, tls } = await readContextArchive(file === "-" ? streams.stdin.bytes() : createReadStream(file));
    await store.create({ ...context, Name: name }, tls);
    await streams.stdout.write(`${name}\n`);
    await streams.stderr.write(`Successfully imported context "${name}"\n`);
    return 0;
  },
});
