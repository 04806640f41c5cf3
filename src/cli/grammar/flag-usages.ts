/** The options part of a help text, wrapped as pflag wraps it. https://github.com/spf13/pflag/blob/master/flag.go (FlagUsagesWrapped) */
import type { FlagSet } from "./flag.ts";

/** pflag lets a line run over by this much rather than leave a short last word alone. */
const SLOP = 5;
const NARROWEST = 24;
const BLOCK_INDENT = 16;

/** The lines of all visible flags, sorted by name, for a terminal of `columns`. */
export function flagUsages(flags: FlagSet, columns: number): string {
  const lines = Object.entries(flags)
    .filter(([, flag]) => !flag.hidden)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => ({
      head: `  ${flag.short ? `-${flag.short}, ` : "    "}--${name}${flag.type === "" ? "" : ` ${flag.type}`}`,
      usage: flag.defaultText === undefined ? flag.usage : `${flag.usage} (default ${flag.defaultText})`,
    }));
  const widest = Math.max(0, ...lines.map((line) => line.head.length));
  const indent = widest + 3;
  return lines.map((line) => `${line.head.padEnd(indent)}${wrap(indent, columns, line.usage)}\n`).join("");
}

function wrap(indent: number, columns: number, text: string): string {
  let width = columns - indent;
  let margin = " ".repeat(indent);
  let result = "";
  if (width < NARROWEST) {
    margin = " ".repeat(BLOCK_INDENT);
    width = columns - BLOCK_INDENT;
    result = `\n${margin}`;
  }
  if (width < NARROWEST) return text.replaceAll("\n", `\n${margin}`);
  const lines: string[] = [];
  let rest = text;
  do {
    const [line, remainder] = cutLine(width - SLOP, rest);
    lines.push(line.replaceAll("\n", `\n${margin}`));
    rest = remainder;
  } while (rest !== "");
  return result + lines.join(`\n${margin}`);
}

/** Takes what fits into `width`, plus the slop when that ends the text. */
function cutLine(width: number, text: string): readonly [line: string, rest: string] {
  if (width + SLOP > text.length) return [text, ""];
  const head = text.slice(0, width);
  const space = Math.max(head.lastIndexOf(" "), head.lastIndexOf("\t"), head.lastIndexOf("\n"));
  if (space <= 0) return [text, ""];
  const newline = head.lastIndexOf("\n");
  const cut = newline > 0 && newline < space ? newline : space;
  return [text.slice(0, cut), text.slice(cut + 1)];
}
