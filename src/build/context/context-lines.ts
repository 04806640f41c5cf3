import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import type { ContextEntryLine, ContextHeader } from "#spec/berth-api.ts";

export interface OfferedContext {
  readonly header: ContextHeader;
  readonly lines: readonly ContextEntryLine[];
}

const MAX_ENTRIES = 2_000_000;
/** Bounds the memory of one offer; two million entries with long names stay below. */
const MAX_BYTES = 1024 * 1024 * 1024;
/** Linux's PATH_MAX without its NUL. */
const MAX_PATH = 4095;
/** A Dockerfile is text; this is far beyond any. */
const MAX_DOCKERFILE_BASE64 = 16 * 1024 * 1024;

/**
 * Reads what a client says of its context: a header line, then a line per entry. Nothing of it is believed: paths are relative and clean,
 * in order, each after its parent directory, numbers are in range. Throws InvalidParameterError.
 */
export async function readOffer(body: AsyncIterable<Uint8Array>): Promise<OfferedContext> {
  const values: unknown[] = [];
  let bytes = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw invalid("it is too large");
    rest = parseLines(rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]), values);
    if (values.length > MAX_ENTRIES + 1) throw invalid(`it has more than ${MAX_ENTRIES} entries`);
  }
  if (rest.length > 0) parseLines(Buffer.concat([rest, Buffer.from("\n")]), values);
  const [header, ...lines] = values;
  return { header: checkedHeader(header), lines: checkedLines(lines) };
}

/** Parses the whole lines of `bytes` at once, which is far faster than one by one, and returns the rest. */
function parseLines(bytes: Buffer, values: unknown[]): Buffer {
  const end = bytes.lastIndexOf("\n");
  if (end < 0) return bytes;
  try {
    // JSON never has a raw newline inside a value.
    const text = bytes.toString("utf8", 0, end).replaceAll("\n", ",");
    for (const value of JSON.parse(`[${text}]`) as unknown[]) values.push(value);
  } catch (cause) {
    throw new InvalidParameterError(`invalid build context: ${errorMessage(cause)}`, { cause });
  }
  return bytes.subarray(end + 1);
}

function checkedHeader(value: unknown): ContextHeader {
  const { key, walked, dockerfile, ignoreFile } = recordOf(value);
  if (typeof key !== "string" || !/^sha256:[0-9a-f]{64}$/.test(key)) throw invalid("its key is no digest");
  if (!isTime(walked)) throw invalid("its header has no time");
  return {
    key,
    walked,
    ...smallFile("dockerfile", "Dockerfile", dockerfile),
    ...smallFile("ignoreFile", ".dockerignore", ignoreFile),
  };
}

function smallFile<K extends string>(field: K, name: string, value: unknown): { readonly [key in K]?: string } {
  if (value === undefined) return {};
  if (typeof value !== "string" || value.length > MAX_DOCKERFILE_BASE64) throw invalid(`its ${name} is too large`);
  return { [field]: value } as { readonly [key in K]?: string };
}

/** Entries of a context that may be believed. Throws InvalidParameterError. */
export function checkedLines(values: readonly unknown[]): readonly ContextEntryLine[] {
  const directories = new Set<string>([""]);
  let previous = "";
  return values.map((value) => {
    const line = checkedLine(value);
    const path = line.p;
    if (path <= previous) throw invalid(`${quoted(path)} is not in order`);
    if (!directories.has(path.slice(0, Math.max(0, path.lastIndexOf("/"))))) {
      throw invalid(`${quoted(path)} has no parent directory`);
    }
    if (line.t === "d") directories.add(path);
    previous = path;
    return line;
  });
}

function checkedLine(value: unknown): ContextEntryLine {
  const { p, t, m, s, mt, ct, i, l, c } = recordOf(value);
  if (typeof p !== "string" || !isCleanPath(p)) throw invalid(`${quoted(String(p))} is no path within it`);
  if (t !== "f" && t !== "d" && t !== "l") throw invalid(`${quoted(p)} has no known type`);
  if (!isCount(m) || m > 0o7777 || !isCount(s) || !isTime(mt) || !isTime(ct) || !isCount(i)) {
    throw invalid(`${quoted(p)} has a number out of range`);
  }
  if (t === "f") return { p, t, m, s, mt, ct, i, ...offeredContent(p, s, c) };
  if (t === "d") return { p, t, m, s: 0, mt, ct, i };
  if (typeof l !== "string" || l === "" || l.length > MAX_PATH || !isBytes(l))
    throw invalid(`${quoted(p)} has no link target`);
  return { p, t, m, s: 0, mt, ct, i, l };
}

function offeredContent(path: string, size: number, content: unknown): { readonly c?: string } {
  if (content === undefined) return {};
  if (typeof content !== "string" || Buffer.byteLength(content, "base64") !== size)
    throw invalid(`${quoted(path)} has a content of another size`);
  return { c: content };
}

const UNCLEAN = /(?:^|\/)\.{0,2}(?:\/|$)/;

/** Relative, `/`-separated, without `.`, `..`, empty parts or NUL; one character per byte. */
export function isCleanPath(path: string): boolean {
  return path.length <= MAX_PATH && !UNCLEAN.test(path) && isBytes(path);
}

function isBytes(text: string): boolean {
  return /^[\x01-\xff]*$/.test(text);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function recordOf(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw invalid("a line is no object");
  return value as Record<string, unknown>;
}

function invalid(reason: string): InvalidParameterError {
  return new InvalidParameterError(`invalid build context: ${reason}`);
}

function quoted(path: string): string {
  return JSON.stringify(Buffer.from(path, "latin1").toString("utf8").slice(0, 200));
}
