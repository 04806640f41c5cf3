import { inspectVolume } from "#client/volumes.ts";
import type { VolumeView } from "#spec/docker-volumes.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { inspectFormatFlag } from "../../output/format-flag.ts";
import { inspectAll } from "../../output/inspect.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  about: "Display detailed information on one or more volumes",
  arguments: atLeast(1),
  flags: { format: inspectFormatFlag() },
  run: ({ flags, args }, { engine, streams }) =>
    inspectAll(args, flags.format, streams, async (name) => inAlphabet(await inspectVolume(engine, name)), {
      goType: "volume.Volume",
    }),
});

/** Docker prints the fields of a volume in this order, whatever the engine's. */
function inAlphabet(volume: VolumeView): unknown {
  return Object.fromEntries(Object.entries(volume).sort(([a], [b]) => (a < b ? -1 : 1)));
}
