import { InvalidParameterError } from "#errors/errors.ts";

/** What `berth build -` got on stdin. */
export type StdinContext =
  | { readonly kind: "dockerfile"; readonly bytes: Uint8Array }
  /** Perhaps compressed; send it as the body of `POST /build`. */
  | { readonly kind: "archive"; readonly bytes: AsyncIterable<Uint8Array> };

/** A Dockerfile is text of some kilobytes. */
const MAX_DOCKERFILE = 8 * 1024 * 1024;
/** Up to the end of the magic number in a tar header. */
const PROBE_BYTES = 265;

/**
 * Tells an archive from a Dockerfile by its first bytes, as docker does. Throws InvalidParameterError when there is nothing, or too much to
 * be a Dockerfile.
 */
export async function readStdinContext(input: AsyncIterable<Uint8Array>): Promise<StdinContext> {
  const chunks = input[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let length = 0;
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    head.push(next.value);
    length += next.value.length;
    // Looked at once, by the chunk that completes the probe.
    const completesProbe = length >= PROBE_BYTES && length - next.value.length < PROBE_BYTES;
    if (completesProbe && isArchive(Buffer.concat(head))) return { kind: "archive", bytes: rest(head, chunks) };
    if (length > MAX_DOCKERFILE) throw new InvalidParameterError("stdin is neither an archive nor a Dockerfile");
  }
  const bytes = Buffer.concat(head);
  if (bytes.length === 0) throw new InvalidParameterError("failed to peek context header from STDIN: it is empty");
  return isArchive(bytes) ? { kind: "archive", bytes: rest(head, chunks) } : { kind: "dockerfile", bytes };
}

async function* rest(
  head: readonly Uint8Array[],
  chunks: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* head;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  } finally {
    await chunks.return?.();
  }
}

/** gzip, bzip2, xz, zstd. */
const MAGICS = ["1f8b", "425a68", "fd377a585a00", "28b52ffd"].map((hex) => Buffer.from(hex, "hex"));

function isArchive(bytes: Buffer): boolean {
  if (MAGICS.some((magic) => bytes.subarray(0, magic.length).equals(magic))) return true;
  return bytes.toString("latin1", 257, 262) === "ustar" || isOldTar(bytes);
}

/** A V7 header has no magic number: its name is padded with NULs, which no text has. */
function isOldTar(bytes: Buffer): boolean {
  return (
    bytes.length >= PROBE_BYTES &&
    bytes.subarray(0, 100).includes(0) &&
    /^[0-7]+[ \0]/.test(bytes.toString("latin1", 100, 108))
  );
}
