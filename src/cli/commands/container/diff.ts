import { containerChanges } from "#client/container-read.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";

const LETTERS = { 0: "C", 1: "A", 2: "D" } as const;

export const command: Command = defineCommand({
  usage: "CONTAINER",
  about: "Inspect changes to files or directories on a container's filesystem",
  spellings: ["container diff", "diff"],
  arguments: exactly(1),
  flags: {},
  async run({ args }, { engine, streams }) {
    const changes = await containerChanges(engine, args[0] ?? "");
    await streams.stdout.write(changes.map(({ Kind, Path }) => `${LETTERS[Kind]} ${Path}\n`).join(""));
    return 0;
  },
});
