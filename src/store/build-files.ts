import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { errorCode } from "#errors/errors.ts";
import { digestHex } from "#formats/digest.ts";
import type { Digest } from "#spec/digest.ts";

/** A log is written in pieces of this size. */
const LOG_PIECE = 64 * 1024;
const COMPRESSION_LEVEL = 3;

/**
 * What builds leave as files: `<id>.log`, the whole output, never clipped, and `files/<hex>.zst`, the lists of files behind content
 * digests. Nothing here is worth an fsync: after a power cut a log may lack its end, and a list that cannot be read is no list.
 */
export class BuildFiles {
  readonly #directory: string;

  /** `directory` and its subdirectory `files` exist. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  openLog(id: string): BuildLog {
    return new BuildLog(this.logPath(id));
  }

  logPath(id: string): string {
    return join(this.#directory, `${id}.log`);
  }

  /** Undefined when it was not kept or cannot be read. */
  manifest(content: Digest): string | undefined {
    try {
      return zstdDecompressSync(readFileSync(this.#manifestPath(content))).toString("latin1");
    } catch {
      return undefined;
    }
  }

  /** Keeps a list; one that is there already is left. On a full disk it is not kept, and nothing fails. */
  keepManifest(content: Digest, manifest: string): void {
    const path = this.#manifestPath(content);
    if (existsSync(path)) return;
    const options = { params: { [ZSTD_LEVEL]: COMPRESSION_LEVEL } };
    try {
      writeFileSync(path, zstdCompressSync(Buffer.from(manifest, "latin1"), options), { mode: 0o600 });
    } catch {
      rmSync(path, { force: true });
    }
  }

  removeLogs(ids: readonly string[]): void {
    for (const id of ids) rmSync(this.logPath(id), { force: true });
  }

  removeManifests(contents: readonly Digest[]): void {
    for (const content of contents) rmSync(this.#manifestPath(content), { force: true });
  }

  /** Removes logs of builds that `isKnown` does not know: a crash ended those before they were recorded. */
  sweep(isKnown: (id: string) => boolean): void {
    for (const name of readdirSync(this.#directory)) {
      if (name.endsWith(".log") && !isKnown(name.slice(0, -".log".length))) {
        rmSync(join(this.#directory, name), { force: true });
      }
    }
  }

  #manifestPath(content: Digest): string {
    return join(this.#directory, "files", `${digestHex(content)}.zst`);
  }
}

/** ZSTD_c_compressionLevel. https://facebook.github.io/zstd/zstd_manual.html */
const ZSTD_LEVEL = 100;

/** The output of a build on its way to disk, in lines. A disk that is full ends the log, not the build. */
export class BuildLog {
  readonly #path: string;
  #pieces: string[] = [];
  #waiting = 0;
  #file: number | undefined;
  #size = 0;
  #isFull = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** Whether the disk had no room for all of it. */
  get isFull(): boolean {
    return this.#isFull;
  }

  line(text: string): void {
    this.#pieces.push(text, "\n");
    this.#waiting += text.length + 1;
    if (this.#waiting >= LOG_PIECE) this.flush();
  }

  /** Writes what has been held back. */
  flush(): void {
    const bytes = Buffer.from(this.#pieces.join(""), "utf8");
    this.#pieces = [];
    this.#waiting = 0;
    if (this.#isFull || bytes.length === 0) return;
    try {
      this.#file ??= openSync(this.#path, "a", 0o600);
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
      this.#size += bytes.length;
    } catch (error) {
      if (!["ENOSPC", "EDQUOT", "EFBIG"].includes(errorCode(error) ?? "")) throw error;
      this.#isFull = true;
    }
  }

  close(): void {
    this.flush();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}
