import { setTimeout as delay } from "node:timers/promises";
import { listContainers } from "#client/container-read.ts";
import { engineEvents } from "#client/system.ts";
import { CancelledError, InvalidParameterError } from "#errors/errors.ts";
import { readConfigFile } from "../../config/config-file.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand, type Invocation } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";
import { listFormatFlag } from "../../output/format-flag.ts";
import { formatList } from "../../output/print-list.ts";
import { STATS_COLUMNS, STATS_LIST, statsRow } from "../../output/stats-rows.ts";
import { canRedraw } from "../../output/terminal-look.ts";
import { shortId } from "../../output/texts.ts";
import { StatsBoard } from "../../stats/stats-board.ts";

/** Milliseconds between two pictures. */
const PICTURE_PAUSE = 500;

const CURSOR_HOME = "\u001b[H";
const CLEAR_SCREEN = "\u001b[2J";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

const FLAGS = {
  all: booleanFlag("Show all containers (default shows just running)", { short: "a" }),
  format: listFormatFlag(),
  "no-stream": booleanFlag("Disable streaming stats and only pull the first result"),
  "no-trunc": booleanFlag("Do not truncate output"),
};

type Flags = Invocation<typeof FLAGS>["flags"];

export const command: Command = defineCommand({
  usage: "[OPTIONS] [CONTAINER...]",
  about: "Display a live stream of container(s) resource usage statistics",
  spellings: ["container stats", "stats"],
  arguments: atLeast(0),
  flags: FLAGS,
  async run({ flags, args }, context) {
    const format = flags.format || (readConfigFile(context.configDirectory).statsFormat ?? "");
    const board = new StatsBoard(context.engine, !flags["no-stream"]);
    const events = new AbortController();
    try {
      if (args.length > 0) for (const name of args) board.add(name, "", name);
      else await addContainers(board, flags, context, events.signal);
      await board.filled();
      const missing = args.length > 0 ? board.failures : [];
      if (missing.length > 0) throw new InvalidParameterError(missing.join("\n"));
      const show = async (): Promise<string> =>
        formatList(
          STATS_LIST,
          board.entries.map((entry) => statsRow(entry, !flags["no-trunc"])),
          { format, columns: STATS_COLUMNS },
        );
      if (flags["no-stream"]) await context.streams.stdout.write(await show());
      else await live(show, () => (args.length > 0 ? board.entries.length === 0 : board.isOver), context);
      return 0;
    } finally {
      events.abort();
      board.close();
    }
  },
});

/** Those that there are; while the figures are live, also those that come, without those that go. */
async function addContainers(
  board: StatsBoard,
  flags: Flags,
  { engine }: CommandContext,
  signal: AbortSignal,
): Promise<void> {
  const { all } = flags;
  if (!flags["no-stream"]) {
    const actions = all ? ["create", "start", "destroy"] : ["start", "die", "destroy"];
    const stream = engineEvents(engine, { filters: { type: ["container"], event: actions }, signal });
    void followContainers(board, stream, all)
      .catch(() => undefined)
      .finally(() => board.end());
  }
  const containers = await listContainers(engine, { all });
  for (const { Id: id, Names: names } of containers) board.add(shortId(id), id, names[0] ?? "");
}

async function followContainers(
  board: StatsBoard,
  events: ReturnType<typeof engineEvents>,
  all: boolean,
): Promise<void> {
  for await (const { Action, Actor } of events) {
    if (Action === "destroy" || (Action === "die" && !all)) board.remove(shortId(Actor.ID));
    else board.add(shortId(Actor.ID), Actor.ID, Actor.Attributes["name"] ?? "");
  }
}

/** Pictures one over the other on a terminal, one below the other elsewhere, until `isOver`, or the user interrupts. */
async function live(
  show: () => Promise<string>,
  isOver: () => boolean,
  { streams, environment, signal }: CommandContext,
): Promise<void> {
  const { stdout } = streams;
  const redraws = canRedraw(stdout, environment);
  if (redraws) await stdout.write(CLEAR_SCREEN);
  while (!isOver()) {
    const text = await show();
    await stdout.write(redraws ? overwriting(text) : text);
    await delay(PICTURE_PAUSE, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) throw new CancelledError("interrupted");
  }
}

/** The text may be shorter than what stood there before. */
function overwriting(text: string): string {
  const lines = text.replace(/\n$/, "").split("\n");
  return `${CURSOR_HOME}${lines.map((line) => `${line}${CLEAR_LINE}\n`).join("")}${CLEAR_BELOW}`;
}
