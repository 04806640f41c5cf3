import { errorMessage } from "#errors/errors.ts";
import type { CommandContext } from "./grammar/command.ts";

/**
 * Does `action` for every name, one after another, and prints what it gives. An error is said at once and does not stop the others.
 * The exit code is 1 when one failed.
 */
export async function runForEach(
  names: readonly string[],
  { streams }: CommandContext,
  action: (name: string) => Promise<string | undefined>,
): Promise<number> {
  let exitCode = 0;
  for (const name of names) {
    try {
      const line = await action(name);
      if (line !== undefined) await streams.stdout.write(`${line}\n`);
    } catch (error) {
      await streams.stderr.write(`${errorMessage(error)}\n`);
      exitCode = 1;
    }
  }
  return exitCode;
}
