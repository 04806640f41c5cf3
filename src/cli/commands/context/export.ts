import { writeFile } from "node:fs/promises";
import { errorCode, errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { writeContextArchive } from "../../context/context-archive.ts";
import { ContextStore, DEFAULT_CONTEXT } from "../../context/context-store.ts";
import { contextNamed, describedCopy } from "../../context/default-context.ts";
import { between } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] CONTEXT [FILE|-]",
  about: "Export a context to a tar archive FILE or a tar stream on STDOUT.",
  arguments: between(1, 2),
  offline: true,
  flags: {},
  async run({ args: [name = "", file = `${name}.dockercontext`] }, { configDirectory, selection, streams }) {
    const store = new ContextStore(configDirectory);
    const context = describedCopy(contextNamed(name, selection, store));
    const archive = writeContextArchive(context, name === DEFAULT_CONTEXT ? {} : store.readTls(name));
    if (file === "-") {
      if (streams.stdout.isTerminal) {
        throw new InvalidParameterError("cowardly refusing to export to a terminal, specify a file path");
      }
      await streams.stdout.write(archive);
      return 0;
    }
    await writeNew(file, archive);
    await streams.stderr.write(`Written file "${file}"\n`);
    return 0;
  },
});

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes, { flag: "wx", mode: 0o600, flush: true });
  } catch (cause) {
    const problem = errorCode(cause) === "EEXIST" ? "file exists" : errorMessage(cause);
    throw new InvalidParameterError(`open ${path}: ${problem}`, { cause });
  }
}
