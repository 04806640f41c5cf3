/**
 * Waits for a state, which a test asks for again and again; throws when it has not come in `milliseconds`. The time is for a busy machine: it is no part of
 * what is tested.
 */
export async function until(isSo: () => boolean | Promise<boolean>, milliseconds = 60_000): Promise<void> {
  const deadline = Date.now() + milliseconds;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`it did not come to that in ${milliseconds / 1000} s: ${isSo}`);
    await Bun.sleep(20);
  }
}
