import { DataLossError } from "#errors/errors.ts";
import type { TarEntry } from "./tar-entry.ts";
import type { TarLimits } from "./tar-limits.ts";
import { TarParser } from "./tar-parser.ts";

/** An entry and its stored bytes (`entry.dataSize` of them). */
export interface TarStreamEntry {
  readonly entry: TarEntry;
  /** Read it before asking for the next entry; what was not read by then is skipped. Chunks may be kept. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * The entries of an archive one by one, with their data, for `load`, build contexts and `cp`. Nothing is read ahead of the
 * consumer but the chunk at hand. Throws as {@link TarParser} does. Leaving the loop early stops reading `source`.
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  limits?: TarLimits,
): AsyncGenerator<TarStreamEntry, void, undefined> {
  // What the parser found in the chunk at hand: entries and pieces of data, in order.
  const found: (TarEntry | Uint8Array)[] = [];
  const parser = new TarParser({ entry: (entry) => found.push(entry), data: (bytes) => found.push(bytes) }, limits);
  const chunks = source[Symbol.asyncIterator]();
  let at = 0;

  const next = async (): Promise<TarEntry | Uint8Array | undefined> => {
    while (at === found.length) {
      found.length = 0;
      at = 0;
      const { done, value } = await chunks.next();
      if (done) {
        parser.end();
        return undefined;
      }
      parser.push(value);
    }
    return found[at++];
  };

  async function* bodyOf(entry: TarEntry): AsyncGenerator<Uint8Array, void, undefined> {
    let left = entry.dataSize;
    while (left > 0) {
      const piece = await next();
      if (!(piece instanceof Uint8Array)) throw new DataLossError(`unexpected end of the tar entry "${entry.path}"`);
      left -= piece.length;
      yield piece;
    }
  }

  try {
    for (let piece = await next(); piece !== undefined; piece = await next()) {
      if (piece instanceof Uint8Array) continue;
      yield { entry: piece, body: bodyOf(piece) };
    }
  } finally {
    await chunks.return?.();
  }
}
