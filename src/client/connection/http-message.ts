/** The little of HTTP/1.1 that a client of one known server needs: one request and one answer a connection. RFC 9112. */
import { DataLossError } from "#errors/errors.ts";
import { ChunkedDecoder } from "./chunked-body.ts";

const MAX_HEAD = 64 * 1024;
/** Chunks are put together to pieces of up to this many bytes; larger ones would only be copied. */
const MAX_TOGETHER = 64 * 1024;
const HEAD_END = Buffer.from("\r\n\r\n");

export interface ResponseHead {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Where bytes come from: undefined is the end. */
export interface ByteSource {
  read(): Promise<Buffer | undefined>;
}

/** The head of a request. Header values are refused when they hold a line break. */
export function writeRequestHead(method: string, path: string, headers: Readonly<Record<string, string>>): string {
  let head = `${method} ${path} HTTP/1.1\r\n`;
  for (const [name, value] of Object.entries(headers)) head += `${name}: ${value.replace(/[\r\n]+/g, " ")}\r\n`;
  return `${head}\r\n`;
}

/** Reads bytes with look-ahead, so that what follows a head or a chunk is not lost. */
export class PushbackReader implements ByteSource {
  readonly #source: ByteSource;
  #rest: Buffer | undefined;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  async read(): Promise<Buffer | undefined> {
    const rest = this.#rest;
    this.#rest = undefined;
    return rest && rest.length > 0 ? rest : this.#source.read();
  }

  unread(bytes: Buffer): void {
    this.#rest = bytes.length > 0 ? bytes : undefined;
  }

  /** The bytes up to `mark`, which is taken too. Throws DataLossError at the end of the stream or after `limit` bytes. */
  async readUntil(mark: Buffer, limit: number): Promise<Buffer> {
    let bytes: Buffer = Buffer.alloc(0);
    for (;;) {
      const at = bytes.indexOf(mark);
      if (at >= 0) {
        this.unread(bytes.subarray(at + mark.length));
        return bytes.subarray(0, at);
      }
      if (bytes.length > limit)
        throw new DataLossError(`cannot read the engine's answer: a line has more than ${limit} bytes`);
      const chunk = await this.read();
      if (!chunk) throw new DataLossError("unexpected EOF");
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    }
  }
}

/** Reads status line and headers. Throws DataLossError when they are no HTTP. */
export async function readResponseHead(reader: PushbackReader): Promise<ResponseHead> {
  const lines = (await reader.readUntil(HEAD_END, MAX_HEAD)).toString("latin1").split("\r\n");
  const match = /^HTTP\/1\.[01] (\d{3})/.exec(lines[0] ?? "");
  if (!match) throw new DataLossError("cannot read the engine's answer: it is not HTTP");
  const headers: Record<string, string> = {};
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(":");
    if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { status: Number(match[1]), headers };
}

/** The body that `head` announces: chunked, of a stated length, or all until the end. */
export async function* readBody(reader: PushbackReader, head: ResponseHead): AsyncGenerator<Buffer, void, void> {
  if (head.status === 204 || head.status === 304) return;
  const length = head.headers["content-length"];
  if (/\bchunked\b/i.test(head.headers["transfer-encoding"] ?? "")) yield* readChunks(reader);
  else if (length !== undefined) yield* readExactly(reader, Number(length));
  else yield* readToEnd(reader);
}

async function* readChunks(reader: PushbackReader): AsyncGenerator<Buffer, void, void> {
  const decoder = new ChunkedDecoder();
  while (!decoder.isAtEnd) {
    const piece = await reader.read();
    if (!piece) throw decoder.cutOff();
    const { contents, rest } = decoder.push(piece);
    reader.unread(rest);
    yield* together(contents);
  }
}

/** Small chunks that came together are given together: what they say is worked on and written once. */
function together(chunks: readonly Buffer[]): readonly Buffer[] {
  if (chunks.length < 2 || chunks.reduce((sum, chunk) => sum + chunk.length, 0) > MAX_TOGETHER) return chunks;
  return [Buffer.concat(chunks)];
}

async function* readExactly(reader: PushbackReader, length: number): AsyncGenerator<Buffer, void, void> {
  let left = length;
  while (left > 0) {
    const bytes = await reader.read();
    if (!bytes) throw new DataLossError(`cannot read the engine's answer: ${left} bytes are missing`);
    if (bytes.length > left) reader.unread(bytes.subarray(left));
    const part = bytes.length > left ? bytes.subarray(0, left) : bytes;
    left -= part.length;
    yield part;
  }
}

async function* readToEnd(reader: PushbackReader): AsyncGenerator<Buffer, void, void> {
  for (let bytes = await reader.read(); bytes; bytes = await reader.read()) yield bytes;
}
