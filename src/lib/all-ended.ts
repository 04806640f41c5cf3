/**
 * What all of `work` come to, in order, as Promise.all; but the first failure aborts `stop`, which the others listen to, and is thrown only when all have
 * ended: nothing runs on behind the caller's back.
 */
export async function allEnded<T extends readonly unknown[]>(
  work: readonly [...{ [K in keyof T]: Promise<T[K]> }],
  stop: AbortController,
): Promise<T> {
  try {
    return (await Promise.all(work)) as unknown as T;
  } catch (error) {
    stop.abort();
    await Promise.allSettled(work);
    throw error;
  }
}
