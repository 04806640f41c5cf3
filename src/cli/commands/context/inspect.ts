import type { ContextSelection } from "../../context/context-selection.ts";
import { ContextStore, DEFAULT_CONTEXT, dockerEndpointOf } from "../../context/context-store.ts";
import { contextNamed } from "../../context/default-context.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { inspectFormatFlag } from "../../output/format-flag.ts";
import { inspectAll } from "../../output/inspect.ts";

const IN_MEMORY = "<IN MEMORY>";

export const command: Command = defineCommand({
  usage: "[OPTIONS] [CONTEXT] [CONTEXT...]",
  about: "Display detailed information on one or more contexts",
  arguments: atLeast(0),
  offline: true,
  flags: { format: inspectFormatFlag() },
  async run({ flags, args }, { configDirectory, selection, streams }) {
    const store = new ContextStore(configDirectory);
    const names = args.length > 0 ? args : [selection.name];
    return inspectAll(names, flags.format, streams, async (name) => inspected(name, selection, store), {
      goType: "context.contextWithTLSListing",
    });
  },
});

function inspected(name: string, selection: ContextSelection, store: ContextStore): unknown {
  const context = contextNamed(name, selection, store);
  const isStored = name !== DEFAULT_CONTEXT;
  return {
    Name: context.Name,
    Metadata: context.Metadata,
    Endpoints: { ...context.Endpoints, docker: dockerEndpointOf(context) },
    TLSMaterial: isStored ? store.tlsFiles(name) : {},
    Storage: {
      MetadataPath: isStored ? store.metadataDirectory(name) : IN_MEMORY,
      TLSPath: isStored ? store.tlsDirectory(name) : IN_MEMORY,
    },
  };
}
