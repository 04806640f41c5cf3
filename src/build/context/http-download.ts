import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { posix } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CancelledError, errorCode, errorMessage, InvalidParameterError, UnavailableError } from "#errors/errors.ts";
import { Digester } from "#formats/digest.ts";
import { connectionReason } from "#lib/connection-reason.ts";
import type { Digest } from "#spec/digest.ts";
import { redactUrl } from "./redact-url.ts";

/** As Go's client, which BuildKit uses. https://pkg.go.dev/net/http#Client */
const MAX_REDIRECTS = 10;
/** More than any image layer should be; bounds what a hostile server can put on the disk. */
const MAX_BYTES = 16 * 1024 ** 3;
/** A server that says nothing for so long has gone, milliseconds. */
const IDLE_TIMEOUT = 120_000;

export interface DownloadOptions {
  readonly signal: AbortSignal;
  /** Absolute path for the body; must not exist. */
  readonly file: string;
  /** An answer that the caller has: when it still holds, nothing is downloaded. */
  readonly etag?: string | undefined;
  /** Sent to the first origin only. */
  readonly authorization?: string | undefined;
  /** Bytes; default 16 GiB. */
  readonly maxBytes?: number;
  readonly onProgress?: (current: number, total: number | undefined) => void;
}

export interface Download {
  /** The caller's `etag` still holds; the file was not written. */
  readonly isUnchanged: boolean;
  readonly digest: Digest | undefined;
  readonly size: number;
  readonly etag: string;
  /** HTTP date as the server wrote it, "" for none. */
  readonly lastModified: string;
  /** From the path or Content-Disposition, never with a directory; "" for none. */
  readonly filename: string;
}

/**
 * Downloads an http(s) URL into a file. Redirects are followed, a bounded number, to http(s) only. Throws UnavailableError when the server
 * cannot be reached or answers with an error status, InvalidParameterError for what is refused, CancelledError on abort; nothing stays
 * of the file then.
 */
export async function download(url: string, options: DownloadOptions): Promise<Download> {
  const idle = new AbortController();
  const timer = setTimeout(() => idle.abort(), IDLE_TIMEOUT);
  const signal = AbortSignal.any([options.signal, idle.signal]);
  try {
    const { response, path } = await request(url, options, signal);
    const known = {
      etag: response.headers.get("etag") ?? options.etag ?? "",
      lastModified: response.headers.get("last-modified") ?? "",
      filename: nameOf(path, response.headers.get("content-disposition") ?? ""),
    };
    if (response.status === 304) return { ...known, isUnchanged: true, digest: undefined, size: 0 };
    const { digest, size } = await save(response, url, options, signal, () => timer.refresh());
    return { ...known, isUnchanged: false, digest, size };
  } catch (error) {
    await rm(options.file, { force: true });
    if (options.signal.aborted) throw new CancelledError("context canceled", { cause: error });
    if (error instanceof InvalidParameterError || error instanceof UnavailableError) throw error;
    const reason = idle.signal.aborted ? "the server sent nothing for two minutes" : reasonOf(error, url);
    throw new UnavailableError(`failed to load ${redactUrl(url)}: ${reason}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** Bun's own words ask whether the computer is able to access the URL. */
function reasonOf(error: unknown, url: string): string {
  return connectionReason(errorCode(error) ?? "", new URL(url)) ?? errorMessage(error);
}

/** The last path of the redirects counts for nothing: the name is that of the URL which the user wrote. */
async function request(
  url: string,
  { etag, authorization }: DownloadOptions,
  signal: AbortSignal,
): Promise<{ readonly response: Response; readonly path: string }> {
  const first = checkedUrl(url, url);
  let current = first;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const headers = new Headers({ "User-Agent": "berth", "Accept-Encoding": "identity" });
    if (etag) headers.set("If-None-Match", etag);
    if (authorization && current.origin === first.origin) headers.set("Authorization", authorization);
    const basic = basicAuthorization(current);
    if (basic && !authorization) headers.set("Authorization", basic);
    const response = await fetch(withoutCredentials(current), { redirect: "manual", headers, signal });
    const location = response.headers.get("location");
    const isRedirect = [301, 302, 303, 307, 308].includes(response.status) && location !== null;
    if (!isRedirect) return { response: checkedStatus(response, url), path: first.pathname };
    await response.body?.cancel();
    current = checkedUrl(new URL(location, current).href, url);
  }
  throw new UnavailableError(`failed to load ${redactUrl(url)}: stopped after ${MAX_REDIRECTS} redirects`);
}

function checkedUrl(text: string, origin: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  const where = text === origin ? "" : `: it redirects to ${JSON.stringify(redactUrl(text).slice(0, 200))}`;
  throw new InvalidParameterError(`cannot load ${redactUrl(origin)}${where}: only http and https URLs are loaded`);
}

function checkedStatus(response: Response, url: string): Response {
  if (response.ok || response.status === 304) return response;
  void response.body?.cancel();
  throw new UnavailableError(`failed to load ${redactUrl(url)}: invalid response status ${response.status}`);
}

function withoutCredentials(url: URL): string {
  const clean = new URL(url);
  clean.username = "";
  clean.password = "";
  clean.hash = "";
  return clean.href;
}

function basicAuthorization({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(text).toString("base64")}`;
}

async function save(
  response: Response,
  url: string,
  { file, maxBytes = MAX_BYTES, onProgress }: DownloadOptions,
  signal: AbortSignal,
  onData: () => void,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const digester = new Digester();
  const stated = Number(response.headers.get("content-length") ?? Number.NaN);
  // A body that was compressed on the way has another length than the header says.
  const isPlain = (response.headers.get("content-encoding") ?? "identity") === "identity";
  const total = isPlain && Number.isSafeInteger(stated) ? stated : undefined;
  const tooLarge = (): InvalidParameterError =>
    new InvalidParameterError(`cannot load ${redactUrl(url)}: it is larger than ${maxBytes} bytes`);
  if (total !== undefined && total > maxBytes) throw tooLarge();
  let size = 0;
  const measured = async function* (source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const chunk of source) {
      onData();
      size += chunk.length;
      if (size > maxBytes) throw tooLarge();
      digester.update(chunk);
      onProgress?.(size, total);
      yield chunk;
    }
  };
  const body = response.body ? (response.body as AsyncIterable<Uint8Array>) : Readable.from([]);
  await pipeline(measured(body), createWriteStream(file, { flags: "wx", mode: 0o600 }), { signal });
  if (total !== undefined && size !== total) {
    throw new UnavailableError(`failed to load ${redactUrl(url)}: got ${size} of ${total} bytes`);
  }
  return { digest: digester.digest(), size };
}

/** The last component of the path; where it has none, what the server calls it. */
function nameOf(path: string, disposition: string): string {
  const base = decoded(posix.basename(path));
  if (base !== "") return safeName(base);
  const match = /filename\*?=(?:UTF-8'')?(?:"([^"]+)"|([^;\s]+))/i.exec(disposition);
  return safeName(decoded(match?.[1] ?? match?.[2] ?? ""));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function safeName(text: string): string {
  const name = posix.basename(text.replaceAll("\0", ""));
  return name === "." || name === ".." || name === "/" ? "" : name;
}
