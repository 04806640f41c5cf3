import { readConfigDocument, writeConfigDocument } from "../../config/config-file.ts";
import { ContextStore, DEFAULT_CONTEXT } from "../../context/context-store.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";

export const command: Command = defineCommand({
  usage: "CONTEXT",
  about: "Set the current docker context",
  arguments: exactly(1),
  offline: true,
  flags: {},
  async run({ args }, { configDirectory, selection, streams }) {
    const name = args[0] ?? "";
    if (name !== DEFAULT_CONTEXT) new ContextStore(configDirectory).read(name);
    const { document, config } = readConfigDocument(configDirectory);
    const wanted = name === DEFAULT_CONTEXT ? undefined : name;
    if (config.currentContext !== wanted) {
      const { currentContext: _, ...rest } = document;
      await writeConfigDocument(configDirectory, { ...rest, ...(wanted ? { currentContext: wanted } : {}) });
    }
    await streams.stdout.write(`${name}\n`);
    await streams.stderr.write(`Current context is now "${name}"\n`);
    if (selection.overriding && wanted) {
      await streams.stderr.write(
        `Warning: ${selection.overriding} environment variable overrides the active context. To use "${name}", either set the global --context flag, or unset ${selection.overriding} environment variable.\n`,
      );
    }
    return 0;
  },
});
