/** Flags that are sizes; apart from those of containers, which other commands need not load. */
import { parseBinarySize } from "#formats/go-units.ts";
import { type Flag, valueFlag } from "../grammar/flag.ts";

/** `512m`. */
export function bytesFlag(
  usage: string,
  text: { readonly short?: string; readonly hidden?: boolean } = {},
): Flag<number> {
  return valueFlag(usage, { ...text, type: "bytes", initial: 0 }, parseBinarySize);
}

/** Memory plus swap: bytes, or -1 for no limit. */
export function memorySwapFlag(usage: string): Flag<number> {
  return valueFlag(usage, { type: "bytes", initial: 0 }, (text) => (text === "-1" ? -1 : parseBinarySize(text)));
}
