/**
 * Takes all steps, one after the other, whatever becomes of the ones before: for undoing, where a step that fails must not keep the others from being
 * taken. Resolves with what they failed with.
 */
export async function attemptAll(steps: readonly (() => unknown)[]): Promise<readonly unknown[]> {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  return failures;
}
