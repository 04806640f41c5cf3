import type { Digest } from "#spec/digest.ts";
import { Digester } from "../digest.ts";
import type { TarEntry } from "./tar-entry.ts";
import { TarParser } from "./tar-parser.ts";

/**
 * The digest of a tar's files without their times: equal for two layers whose files are the same but were written at different moments.
 * Feed it the tar while it streams by. Entries count in the archive's order.
 */
export class TimelessDigest {
  readonly #digester = new Digester();
  readonly #parser = new TarParser({
    entry: (entry) => this.#digester.update(Buffer.from(`${describe(entry)}\n`, "latin1")),
    data: (bytes) => this.#digester.update(bytes),
  });

  /** Throws what TarParser throws. */
  push(chunk: Uint8Array): void {
    this.#parser.push(chunk);
  }

  /** Call once, at the end of the tar. */
  digest(): Digest {
    this.#parser.end();
    return this.#digester.digest();
  }
}

/** Passes `source` on and gives its timeless digest to `onEnd` when all of it has gone by. */
export async function* timelessly(
  source: AsyncIterable<Uint8Array>,
  onEnd: (digest: Digest) => void,
): AsyncGenerator<Uint8Array, void, void> {
  const timeless = new TimelessDigest();
  for await (const chunk of source) {
    timeless.push(chunk);
    yield chunk;
  }
  onEnd(timeless.digest());
}

function describe(entry: TarEntry): string {
  const { path, type, mode, uid, gid, size, linkPath, major, minor, xattrs, sparse } = entry;
  const attributes = [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString("hex")]);
  return JSON.stringify([path, type, mode, uid, gid, size, linkPath, major, minor, attributes, sparse ?? []]);
}
