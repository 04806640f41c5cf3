import { hash } from "node:crypto";
import { InvalidParameterError } from "#errors/errors.ts";
import { Digester } from "#formats/digest.ts";
import { freeBehind } from "#lib/free-behind.ts";
import type { Digest } from "#spec/digest.ts";
import type { PackAppender } from "./pack-file.ts";

export interface ReceivedFile {
  readonly offset: number;
  readonly digest: Digest;
}

/**
 * Takes the contents of files of known sizes, one after another without anything between, writes them to the pack and hashes each.
 * The chunks of `body` are empty afterwards. Throws InvalidParameterError when the stream is shorter or longer than their sum.
 */
export async function receiveFiles(
  sizes: readonly number[],
  body: AsyncIterable<Uint8Array>,
  pack: PackAppender,
): Promise<readonly ReceivedFile[]> {
  const files = new FileCutter(sizes, pack.position);
  for await (const chunk of freeBehind(body)) {
    files.push(chunk);
    await pack.write(chunk);
  }
  return files.end();
}

/** Cuts the stream into files and hashes them. */
class FileCutter {
  readonly #sizes: readonly number[];
  readonly #received: ReceivedFile[] = [];
  #offset: number;
  /** The file that a chunk left unfinished. */
  #partial: { readonly digester: Digester; left: number } | undefined;

  constructor(sizes: readonly number[], offset: number) {
    this.#sizes = sizes;
    this.#offset = offset;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      const size = this.#sizes[this.#received.length];
      if (size === undefined) throw new InvalidParameterError("build context is longer than it said");
      const left = chunk.length - at;
      if (!this.#partial && size <= left) {
        // Most files are small and lie in one chunk: one call hashes them.
        this.#finish(`sha256:${hash("sha256", chunk.subarray(at, at + size), "hex")}`, size);
        at += size;
        continue;
      }
      this.#partial ??= { digester: new Digester(), left: size };
      const taken = Math.min(left, this.#partial.left);
      this.#partial.digester.update(chunk.subarray(at, at + taken));
      this.#partial.left -= taken;
      at += taken;
      if (this.#partial.left === 0) {
        this.#finish(this.#partial.digester.digest(), size);
        this.#partial = undefined;
      }
    }
  }

  end(): readonly ReceivedFile[] {
    // Empty files at the end need no bytes.
    while (!this.#partial && this.#sizes[this.#received.length] === 0) this.#finish(EMPTY_DIGEST, 0);
    if (this.#partial || this.#received.length < this.#sizes.length) {
      throw new InvalidParameterError("build context ended early: the client went away or a file could not be read");
    }
    return this.#received;
  }

  #finish(digest: Digest, size: number): void {
    this.#received.push({ offset: this.#offset, digest });
    this.#offset += size;
  }
}

const EMPTY_DIGEST: Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
