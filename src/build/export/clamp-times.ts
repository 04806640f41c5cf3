import { NotImplementedError } from "#errors/errors.ts";
import { tarText } from "#formats/tar/tar-entry.ts";
import { readTar } from "#formats/tar/tar-reader.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";

/**
 * A layer's tar with no file younger than `epoch`, seconds: all else stays. BuildKit: util/converter/tarconverter.
 * Throws NotImplementedError for sparse files.
 */
export async function* clampTimes(
  tar: AsyncIterable<Uint8Array>,
  epoch: number,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const { entry, body } of readTar(tar)) {
    if (entry.sparse) throw new NotImplementedError(`rewrite-timestamp: "${tarText(entry.path)}" is a sparse file`);
    const isYounger = entry.mtime.seconds >= epoch;
    yield tarHeader(isYounger ? { ...entry, mtime: { seconds: epoch, nanoseconds: 0 } } : entry);
    if (entry.size === 0) continue;
    yield* body;
    yield tarPadding(entry.size);
  }
  yield TAR_END;
}
