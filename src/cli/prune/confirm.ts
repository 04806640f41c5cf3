import type { CommandContext } from "../grammar/command.ts";
import { readLine } from "../prompt.ts";

/** Asks before something is removed. Anything but yes, and the end of the input, is no. */
export async function confirm(question: string, { streams }: CommandContext): Promise<boolean> {
  return (await readLine(`${question} [y/N] `, streams)).toLowerCase() === "y";
}
