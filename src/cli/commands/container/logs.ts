import { containerLogs, inspectContainer } from "#client/container-read.ts";
import type { Engine, EngineResponse } from "#client/engine.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { parseTimestamp } from "#formats/go-duration.ts";
import { copyOutput } from "../../attach/session.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, stringFlag } from "../../grammar/flag.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  about: "Fetch the logs of a container",
  spellings: ["container logs", "logs"],
  arguments: exactly(1),
  flags: {
    details: booleanFlag("Show extra details provided to logs"),
    follow: booleanFlag("Follow log output", { short: "f" }),
    since: stringFlag(
      'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    ),
    tail: stringFlag("Number of lines to show from the end of the logs", { short: "n", initial: "all" }),
    timestamps: booleanFlag("Show timestamps", { short: "t" }),
    until: stringFlag(
      'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    ),
  },
  async run({ flags, args }, { engine, streams }) {
    const id = args[0] ?? "";
    const { follow, timestamps, details, tail } = flags;
    const response = await containerLogs(engine, id, {
      follow,
      timestamps,
      details,
      tail,
      since: timeFlag("since", flags.since),
      until: timeFlag("until", flags.until),
    });
    await copyOutput(response.body, streams, { tty: await isRaw(response, engine, id), stdout: true, stderr: true });
    return 0;
  },
});

function timeFlag(name: string, text: string): string | undefined {
  if (text === "") return undefined;
  try {
    return parseTimestamp(text);
  } catch (cause) {
    throw new InvalidParameterError(
      `invalid value for "${name}": failed to parse value as time or duration: "${text}"`,
      {
        cause,
      },
    );
  }
}

/** Engines of API 1.42 and up name the kind of stream; of others the container has to be asked. */
async function isRaw(response: EngineResponse, engine: Engine, id: string): Promise<boolean> {
  const type = response.headers["content-type"] ?? "";
  if (type.includes("multiplexed-stream")) return false;
  return (await inspectContainer(engine, id)).Config.Tty ?? false;
}
