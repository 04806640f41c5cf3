/** `build --advise` as text. */
import { humanSize } from "#formats/go-units.ts";
import { alignTabs } from "#formats/tabwriter.ts";
import type { BuildAdvice } from "#spec/build-advice.ts";
import { seconds } from "../output/build-record-text.ts";

/** Findings smaller than this are not worth a line, bytes. */
const SMALL = 1_000_000;

/** Measured figures only; what no recorded build tells is said to be unknown. */
export function adviceText(advice: BuildAdvice): string {
  return [stepsText(advice), proposalsText(advice), remarksText(advice), contextText(advice), layersText(advice)]
    .filter((part) => part !== "")
    .join("\n");
}

function stepsText({ builds, steps }: BuildAdvice): string {
  if (steps.length === 0) return "Steps: unknown, no recorded build of this ended well yet\n";
  const rows = steps.map(({ name, ran, builds: all, typical }) => {
    const time = typical === undefined ? "unknown" : seconds(typical);
    return `${ran} of ${all}\t${time}\t${name.replaceAll("\n", "\\n")}\n`;
  });
  const count = builds === 1 ? "the last build" : `the last ${builds} builds`;
  return `Steps in ${count}:\n${alignTabs(`RAN\tTYPICAL\tSTEP\n${rows.join("")}`)}`;
}

function proposalsText({ proposals, diff, effect }: BuildAdvice): string {
  if (proposals.length === 0) return "Order: no change that is sure to break nothing would help\n";
  const lines = proposals.map(({ text, startLine, endLine }) => ` - lines ${startLine} to ${endLine}: ${text}\n`);
  return `Order:\n${lines.join("")}${effectText(effect)}\n${diff}`;
}

function effectText(effect: BuildAdvice["effect"]): string {
  if (!effect) return "";
  const { builds, before, after } = effect;
  const count = builds === 1 ? "The last build" : `The last ${builds} builds`;
  const then = after === undefined ? "unknown, the records do not say which files changed" : seconds(after);
  return `${count} took ${seconds(before)} in steps; with this order: ${then}.\n`;
}

function remarksText({ remarks }: BuildAdvice): string {
  return remarks.length === 0 ? "" : `Look at:\n${remarks.map((remark) => ` - ${remark}\n`).join("")}`;
}

function contextText({ context }: BuildAdvice): string {
  if (!context) return "";
  const rows = context.largest.map(({ path, size }) => ` ${humanSize(size)}\t${path}\n`);
  const lines = context.ignore.map(({ line, size }) => ` - add "${line}" to .dockerignore: ${humanSize(size)} less\n`);
  return `Context: ${humanSize(context.size)} in ${context.files} files\n${alignTabs(rows.join(""))}${lines.join("")}`;
}

function layersText({ layers }: BuildAdvice): string {
  const large = layers.filter(({ size }) => size >= SMALL);
  if (large.length === 0) return "";
  return `Layers:\n${large.map(({ step, text, size }) => ` - ${step.replaceAll("\n", "\\n")}: ${humanSize(size)}: ${text}\n`).join("")}`;
}
