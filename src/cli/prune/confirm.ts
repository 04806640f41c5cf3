import { CancelledError } from "#errors/errors.ts";
import type { CommandContext } from "../grammar/command.ts";
import { readLine } from "../prompt.ts";

/** Asks before something is removed; no, and the end of the input, is no. Throws CancelledError in docker's words. */
export async function confirm(question: string, what: string, { streams }: CommandContext): Promise<void> {
  const answer = await readLine(`${question} [y/N] `, streams);
  if (answer.toLowerCase() !== "y") throw new CancelledError(`${what} has been cancelled`);
}
