import { CancelledError } from "#errors/errors.ts";
import { TAR_END } from "#formats/tar/tar-writer.ts";
import { TimeSlice } from "#lib/time-slice.ts";
import { fileEntry, hardLinkEntry, inodeKey, PendingBytes, TAR_CHUNK, type TarSource } from "#snapshot/entry-tar.ts";
import { readLinkAt } from "#sys/by-descriptor.ts";
import { getXattrOf, listXattrsOf } from "#sys/xattr.ts";
import { type ContainerTree, openForReading, type Place } from "./container-tree.ts";

export interface TreeTarOptions {
  /** Name of the first entry; what lies below it is named below it. Undefined leaves the directory itself out, and names start below it. */
  readonly name: string | undefined;
  readonly signal?: AbortSignal;
  /** More entries come behind them: the archive does not end. */
  readonly isFollowed?: boolean;
}

/**
 * A file or directory of a container as a tar, in Docker's order: a directory before what is in it, siblings sorted by their bytes. Hard links
 * among what is packed stay links, sockets are left out. Reads no faster than the consumer. Throws CancelledError on abort and SystemError when a
 * file shrinks while it is read. The caller keeps `tree` and `place` open meanwhile.
 */
export async function* treeTar(
  tree: ContainerTree,
  place: Place,
  { name, signal, isFollowed = false }: TreeTarOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const pending = new PendingBytes();
  const links = new Map<string, string>();
  const slice = new TimeSlice();
  for await (const bytes of entries(tree, place, name, links)) {
    if (signal?.aborted) throw new CancelledError("cancelled: reading a container's files");
    pending.add(bytes);
    if (pending.size >= TAR_CHUNK) yield pending.take();
    if (slice.isOver()) await slice.next();
  }
  if (!isFollowed) pending.add(TAR_END);
  yield pending.take();
}

async function* entries(
  tree: ContainerTree,
  place: Place,
  name: string | undefined,
  links: Map<string, string>,
): AsyncGenerator<Uint8Array, void, void> {
  if (place.stats.isSocket()) return;
  if (name !== undefined) yield* entry(place, name, links);
  if (!place.stats.isDirectory()) return;
  for (const child of tree.names(place)) {
    using held = tree.child(place, child);
    if (!held) continue;
    // A name that ends in "/" is the root's, of which Docker keeps the slash.
    const path = name === undefined ? child : name.endsWith("/") ? `${name}${child}` : `${name}/${child}`;
    yield* entries(tree, held, path, links);
  }
}

async function* entry(place: Place, path: string, links: Map<string, string>): AsyncGenerator<Uint8Array, void, void> {
  const { stats } = place;
  const source = sourceOf(place, path);
  const key = inodeKey(stats);
  const first = stats.isDirectory() ? undefined : links.get(key);
  if (first !== undefined) {
    yield hardLinkEntry(source, first);
    return;
  }
  if (stats.nlink > 1n && !stats.isDirectory()) links.set(key, path);
  yield* fileEntry(source);
}

function sourceOf(place: Place, path: string): TarSource {
  const isLink = place.stats.isSymbolicLink();
  return {
    path,
    stats: place.stats,
    open: () => openForReading(place),
    readLink: () => readLinkAt(place.descriptor),
    xattrNames: () => (isLink ? [] : listXattrsOf(place.descriptor)),
    xattr: (name) => getXattrOf(place.descriptor, name),
  };
}
