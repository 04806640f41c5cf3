/** What a terminal can show, and how wide texts are on it. */
import type { Output } from "../streams.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a picture may be drawn over the last one: on a terminal that moves its cursor. `TERM=dumb` says that it cannot. */
export function canRedraw(out: Output, environment: Environment): boolean {
  return out.isTerminal && environment["TERM"] !== "dumb";
}

/** Whether colours and bold letters have a place. https://no-color.org */
export function hasColors(out: Output, environment: Environment): boolean {
  return canRedraw(out, environment) && !environment["NO_COLOR"];
}

const PLAIN = /^[\x20-\x7e]*$/;

/** Columns that a text takes: letters of some scripts take two. */
export function columnsOf(text: string): number {
  return PLAIN.test(text) ? text.length : Bun.stringWidth(text);
}

/** As much of a text as fits: a line that the terminal wraps could not be drawn over. */
export function cutToColumns(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  if (PLAIN.test(text)) return text.slice(0, columns);
  let cut = "";
  let used = 0;
  for (const character of text) {
    used += Bun.stringWidth(character);
    if (used > columns) break;
    cut += character;
  }
  return cut;
}
