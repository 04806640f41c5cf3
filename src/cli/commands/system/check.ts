import { checkStore } from "#client/system.ts";
import { SystemError } from "#errors/errors.ts";
import { humanSize } from "#formats/go-units.ts";
import type { CheckLine } from "#spec/berth-api.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";

export const command: Command = defineCommand({
  usage: "",
  about: "Verify every layer, blob and image against its digest",
  arguments: NO_ARGUMENTS,
  flags: {},
  async run(_invocation, context) {
    const { stdout } = context.streams;
    let done: CheckLine["done"];
    for await (const line of checkStore(context.engine, context.signal)) {
      if (line.problem !== undefined)
        await stdout.write(`${line.kind ?? "object"} ${line.name ?? ""}: ${line.problem}\n`);
      done = line.done ?? done;
    }
    if (!done) throw new SystemError("the check did not come to its end: the engine closed the connection");
    const { layers, blobs, images, bytes, problems } = done;
    await stdout.write(
      `Checked ${count(layers, "layer")}, ${count(blobs, "blob")}, ${count(images, "image")} (${humanSize(bytes)}): ${problems === 0 ? "no problems" : count(problems, "problem")}\n`,
    );
    return problems === 0 ? 0 : 1;
  },
});

function count(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? "" : "s"}`;
}
