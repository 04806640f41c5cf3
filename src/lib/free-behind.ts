/** Smaller chunks are views of memory that others use too (node's pool), and no burden. Bytes. */
const WORTH_FREEING = 16 * 1024;

/**
 * The chunks of `source`, each given back to the system when the next is asked for: from then on it is empty. For consumers that keep no
 * chunk, of sources that nobody else reads. A part of a larger buffer stays, but where it is the only one (`isOnlyView`). The garbage collector
 * counts such memory but is in no hurry: of an upload of gigabytes it leaves 40 MB about, and fresh pages cost more than the same ones
 * again (a quarter of the processor's time to receive, measured).
 */
export async function* freeBehind(
  source: AsyncIterable<Uint8Array>,
  { isOnlyView = false }: { readonly isOnlyView?: boolean } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    yield chunk;
    if (isOnlyView || chunk.byteLength === chunk.buffer.byteLength) free(chunk);
  }
}

function free({ buffer, byteLength }: Uint8Array): void {
  if (byteLength >= WORTH_FREEING && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
