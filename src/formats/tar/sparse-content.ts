import type { TarEntry } from "./tar-entry.ts";

const ZEROS = new Uint8Array(64 * 1024);

/** All `entry.size` bytes of a file, from those that the archive stores: a sparse one's pieces at their places, zeros between them. */
export async function* wholeContent(
  entry: Pick<TarEntry, "size" | "sparse">,
  stored: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  if (!entry.sparse) {
    yield* stored;
    return;
  }
  const segments = entry.sparse.values();
  let segment = segments.next().value;
  let position = 0;
  for await (const chunk of stored) {
    for (let at = 0; at < chunk.length && segment; ) {
      yield* zeros(segment.offset - position);
      position = Math.max(position, segment.offset);
      const piece = chunk.subarray(at, at + Math.min(chunk.length - at, segment.offset + segment.length - position));
      yield piece;
      position += piece.length;
      at += piece.length;
      if (position === segment.offset + segment.length) segment = segments.next().value;
    }
  }
  yield* zeros(entry.size - position);
}

function* zeros(count: number): Generator<Uint8Array, void, void> {
  for (let left = count; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, Math.min(ZEROS.length, left));
}
