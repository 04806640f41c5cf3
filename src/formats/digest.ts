import { InvalidParameterError } from "#errors/errors.ts";
import type { Digest } from "#spec/digest.ts";

const PATTERN = /^sha256:[0-9a-f]{64}$/;

/** Whether `text` is a well-formed sha256 digest. */
export function isDigest(text: string): text is Digest {
  return PATTERN.test(text);
}

/** Reads a digest from outside. Throws InvalidParameterError when it is malformed or not sha256. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) {
    throw new InvalidParameterError(`invalid digest "${text.slice(0, 100)}": expected sha256 and 64 hex digits`);
  }
  return text;
}

/** The digest of `bytes`. Bun's own hash: the command line uses it too, and `node:crypto` alone costs 2 ms of its start. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`;
}

/** The 64 hex digits. */
export function digestHex(digest: Digest): string {
  return digest.slice("sha256:".length);
}

/** An incremental sha256 that ends in a {@link Digest}. */
export class Digester {
  readonly #hash = new Bun.CryptoHasher("sha256");
  #size = 0;

  /** Bytes hashed so far. */
  get size(): number {
    return this.#size;
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#size += bytes.length;
  }

  /** Call once: the digest of everything given to `update`. */
  digest(): Digest {
    return `sha256:${this.#hash.digest("hex")}`;
  }
}

/**
 * The chainID of a stack of layers, bottom first.
 * https://github.com/opencontainers/image-spec/blob/main/config.md#layer-chainid
 */
export function chainId(diffIds: readonly Digest[]): Digest | undefined {
  return diffIds.reduce<Digest | undefined>(
    (chain, diffId) => (chain ? digestOf(`${chain} ${diffId}`) : diffId),
    undefined,
  );
}
