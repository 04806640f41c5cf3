/** `build --plan` as text. */
import type { BuildPlan } from "#spec/build-record.ts";
import { seconds } from "../output/build-record-text.ts";
import { reasonsText } from "../output/reasons-text.ts";

/** 1 is for plans that cannot be made, as everywhere. */
export const PLAN_EXIT_CODES: { readonly cached: number; readonly runs: number } = { cached: 0, runs: 2 };

/** A line per step, and how many would run and for how long, as far as recorded builds know. */
export function planText({ steps }: BuildPlan): string {
  const lines = steps.map(({ name, outcome, reasons, lastDuration, kind }) => {
    const time = outcome === "run" && lastDuration !== undefined ? ` (${seconds(lastDuration)} last time)` : "";
    const head = outcome === "cached" ? "CACHED" : kind === "from" ? "PULL" : "RUN";
    const line = name.replaceAll("\n", "\\n");
    return `${head.padEnd(7)} ${reasons.length > 0 ? reasonsText(line, reasons) : line}${time}\n`;
  });
  return `${lines.join("")}\n${summary(steps)}\n`;
}

function summary(steps: BuildPlan["steps"]): string {
  const running = steps.filter(({ outcome, kind }) => outcome === "run" && kind !== "from");
  const pulled = steps.filter(({ outcome, kind }) => outcome === "run" && kind === "from").length;
  const pulls = pulled === 0 ? "" : ` ${pulled} base ${pulled === 1 ? "image" : "images"} would be pulled.`;
  if (running.length === 0) return `All steps are cached.${pulls}`;
  const known = running.flatMap(({ lastDuration }) => lastDuration ?? []);
  const total = seconds(known.reduce((sum, time) => sum + time, 0));
  const unknown = running.length - known.length;
  const time =
    known.length === 0
      ? "how long they take is not known"
      : `${total} by their last times${unknown > 0 ? ` (unknown for ${unknown})` : ""}`;
  return `${running.length} of ${steps.filter(({ kind }) => kind !== "from").length} steps would run: ${time}.${pulls}`;
}
