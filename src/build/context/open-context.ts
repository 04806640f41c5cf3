import { NotFoundError } from "#errors/errors.ts";
import type { BuildContext, ContextEntry } from "../builder.ts";
import { ContextTree } from "../ops/trees/context-tree.ts";
import { findDockerfile } from "./find-dockerfile.ts";
import { type PackFile, PackReader } from "./pack-file.ts";
import { isStoredFile, type StoredEntry } from "./stored-entry.ts";

/** A context for the length of one build; disposing it gives its pack back. */
export interface OpenContext extends AsyncDisposable {
  readonly files: BuildContext;
  /** The .dockerignore, as far as the client sent it. */
  readonly ignoreFile?: string | undefined;
  /**
   * Bytes of the Dockerfile of that path; of the client's own one if it sent it apart. Throws NotFoundError in BuildKit's words.
   */
  dockerfile(name: string): Uint8Array;
}

/** Makes a context of entries whose content lies in `pack`, which this call retains. */
export function openPackContext(
  entries: readonly StoredEntry[],
  pack: PackFile,
  options: { readonly transferred: number; readonly dockerfile?: Uint8Array; readonly ignoreFile?: string | undefined },
): OpenContext {
  pack.retain();
  let isOpen = true;
  const files = new PackContext(entries, pack, options.transferred);
  return {
    files,
    ignoreFile: options.ignoreFile,
    dockerfile: (name) => options.dockerfile ?? findDockerfile(new ContextTree(files), name),
    [Symbol.asyncDispose]: async () => {
      if (isOpen) pack.release();
      isOpen = false;
    },
  };
}

/** A context without files: `berth build -` with a Dockerfile on stdin. */
export function emptyContext(dockerfile: Uint8Array): OpenContext {
  const nothing = (entry: ContextEntry): never => {
    throw new NotFoundError(`"/${entry.path}": not found`);
  };
  return {
    files: { entries: [], transferred: 0, read: nothing, stream: nothing },
    dockerfile: () => dockerfile,
    [Symbol.asyncDispose]: async () => {},
  };
}

class PackContext implements BuildContext {
  readonly entries: readonly StoredEntry[];
  readonly transferred: number;
  readonly #pack: PackFile;
  readonly #reader: PackReader;
  /** Contents by where they lie: entries that a caller made from ours (renamed, say) still find their bytes by digest. */
  #byDigest: Map<string, StoredEntry> | undefined;

  constructor(entries: readonly StoredEntry[], pack: PackFile, transferred: number) {
    this.entries = entries;
    this.transferred = transferred;
    this.#pack = pack;
    this.#reader = new PackReader(pack);
  }

  read(entry: ContextEntry): Uint8Array {
    const { offset, size } = this.#locate(entry);
    return this.#reader.read(offset, size);
  }

  stream(entry: ContextEntry, buffer?: Uint8Array): AsyncIterable<Uint8Array> {
    const { offset, size } = this.#locate(entry);
    return this.#pack.stream(offset, size, buffer);
  }

  #locate(entry: ContextEntry): StoredEntry {
    if ("offset" in entry) return entry as StoredEntry;
    this.#byDigest ??= new Map(this.entries.filter(isStoredFile).map((file) => [file.digest, file]));
    const found = this.#byDigest.get(entry.digest ?? "");
    if (!found) throw new NotFoundError(`"/${entry.path}": not found`);
    return found;
  }
}
