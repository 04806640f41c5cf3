/**
 * Runs `work` over `items`, at most `limit` at a time, and resolves with the results in the order of the items. The first
 * failure aborts the signal that the others got, waits for them to end, and is thrown: when this returns nothing is running.
 */
export async function mapParallel<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, signal: AbortSignal, index: number) => Promise<R>,
  signal?: AbortSignal,
): Promise<R[]> {
  const failed = new AbortController();
  const combined = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const results = new Array<R>(items.length);
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    while (!combined.aborted) {
      const index = next++;
      if (index >= items.length) return;
      try {
        results[index] = await work(items[index] as T, combined, index);
      } catch (error) {
        failure ??= { error };
        failed.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failure) throw failure.error;
  signal?.throwIfAborted();
  return results;
}
