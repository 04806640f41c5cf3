import { DataLossError } from "#errors/errors.ts";
import { Digester } from "#formats/digest.ts";
import type { BlobExpectation, IngestOptions } from "./layer-store.ts";

/** A layer's source as it is read: reports progress, and hashes what will be checked against the manifest. */
export class LayerSource {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #blob: BlobExpectation | undefined;
  readonly #onProgress: ((bytesRead: number) => void) | undefined;
  readonly #digester: Digester = new Digester();
  #size = 0;

  constructor(source: AsyncIterable<Uint8Array>, options: IngestOptions) {
    this.#source = source;
    this.#blob = options.blob;
    this.#onProgress = options.onProgress;
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of this.#source) {
      this.#size += chunk.length;
      if (this.#blob) {
        // A registry that sends without end must not fill the disk first.
        if (this.#size > this.#blob.size) throw this.#wrongSize(this.#blob, "more");
        this.#digester.update(chunk);
      }
      this.#onProgress?.(this.#size);
      yield chunk;
    }
  }

  /** Call once, when everything is read: throws DataLossError when the blob is not the one that was promised. */
  check(): void {
    const blob = this.#blob;
    if (!blob) return;
    if (this.#size !== blob.size) throw this.#wrongSize(blob, String(this.#size));
    // Docker's words.
    if (this.#digester.digest() !== blob.digest) {
      throw new DataLossError(`filesystem layer verification failed for digest ${blob.digest}`);
    }
  }

  #wrongSize(blob: BlobExpectation, got: string): DataLossError {
    return new DataLossError(`layer ${blob.digest}: expected ${blob.size} bytes, got ${got}`);
  }
}
