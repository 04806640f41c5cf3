import { engineEvents } from "#client/system.ts";
import { parseTimestamp } from "#formats/go-duration.ts";
import type { EventMessage } from "#spec/docker-system.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { filterFlag, stringFlag } from "../../grammar/flag.ts";
import { inspectFormatFlag } from "../../output/format-flag.ts";
import { rfc3339 } from "../../output/texts.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "Get real time events from the server",
  spellings: ["system events", "events"],
  arguments: NO_ARGUMENTS,
  flags: {
    filter: filterFlag(),
    format: { ...inspectFormatFlag(), short: "" },
    since: stringFlag("Show all events created since timestamp"),
    until: stringFlag("Stream events until this timestamp"),
  },
  async run({ flags }, { engine, streams }) {
    const render = await rendererFor(flags.format);
    const since = flags.since === "" ? undefined : parseTimestamp(flags.since);
    const until = flags.until === "" ? undefined : parseTimestamp(flags.until);
    for await (const event of engineEvents(engine, { since, until, filters: flags.filter })) {
      await streams.stdout.write(`${render(event)}\n`);
    }
    return 0;
  },
});

async function rendererFor(format: string): Promise<(event: EventMessage) => string> {
  if (format === "") return eventLine;
  if (format === "json") return (event) => JSON.stringify(event);
  const { parseEventTemplate } = await import("../../output/event-template.ts");
  return parseEventTemplate(format);
}

/** `2025-05-30T12:07:14.123456789Z container start ID (image=busybox, name=web)`. */
function eventLine(event: EventMessage): string {
  const attributes = Object.entries(event.Actor.Attributes ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .sort();
  const details = attributes.length > 0 ? ` (${attributes.join(", ")})` : "";
  return `${nanoTime(event)} ${event.Type} ${event.Action} ${event.Actor.ID}${details}`;
}

function nanoTime({ time, timeNano }: EventMessage): string {
  // A JSON number beyond 2^53: its shortest decimal form is what the engine meant, its exact value is not.
  const fraction = String(BigInt(String(timeNano)) % 1_000_000_000n).padStart(9, "0");
  return rfc3339(time).replace(/^(.{19})/, `$1.${fraction}`);
}
