import { constants, openSync, readlinkSync } from "node:fs";
import { CancelledError } from "#errors/errors.ts";
import { TAR_END, tarHeader } from "#formats/tar/tar-writer.ts";
import { OPAQUE_MARKER, refuseWhiteoutName, whiteoutOf } from "#formats/whiteout.ts";
import { TimeSlice } from "#lib/time-slice.ts";
import { getXattr, listXattrs } from "#sys/xattr.ts";
import { fileEntry, hardLinkEntry, inodeKey, PendingBytes, TAR_CHUNK, type TarSource } from "./entry-tar.ts";
import { type PresentEntry, type UpperEntry, unlessGone } from "./upper-walk.ts";

/**
 * The changes of a snapshot as the tar of a layer: whiteouts for what was deleted, hard links within the changes, extended
 * attributes but overlayfs's own, times in whole seconds, sockets left out (they mean nothing without their server). Equal changes
 * give equal bytes. Throws CancelledError on abort, SystemError when a file shrinks while it is read, InvalidParameterError for
 * what a layer cannot hold.
 */
export async function* snapshotTar(
  entries: Iterable<UpperEntry>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const pending = new PendingBytes();
  const links = new Map<string, string>();
  const slice = new TimeSlice();
  for (const entry of entries) {
    if (slice.isOver()) await slice.next();
    if (signal?.aborted) throw new CancelledError("cancelled: reading a container's changes");
    if (entry.kind === "deleted") {
      if (!entry.implied) pending.add(marker(whiteoutOf(entry.path)));
    } else {
      for await (const bytes of entryBytes(entry, links)) {
        pending.add(bytes);
        if (pending.size >= TAR_CHUNK) yield pending.take();
      }
    }
    if (pending.size >= TAR_CHUNK) yield pending.take();
  }
  pending.add(TAR_END);
  yield pending.take();
}

/** Header and content of one entry. */
async function* entryBytes(entry: PresentEntry, links: Map<string, string>): AsyncGenerator<Uint8Array, void, void> {
  const { path, stats } = entry;
  refuseWhiteoutName(path);
  const firstLink = links.get(inodeKey(stats));
  if (stats.isSocket()) {
    // Left out, it must not let a file of the layers show through.
    if (entry.below !== "nothing") yield marker(whiteoutOf(path));
  } else if (firstLink !== undefined && !stats.isDirectory()) {
    yield hardLinkEntry(sourceAt(entry), firstLink);
  } else {
    if (stats.nlink > 1n && !stats.isDirectory()) links.set(inodeKey(stats), path);
    yield* fileEntry(sourceAt(entry));
  }
  if (entry.opaque) yield marker(`${path}/${OPAQUE_MARKER}`);
}

function sourceAt({ path, stats, location }: PresentEntry): TarSource {
  return {
    path,
    stats,
    open: () => unlessGone(() => openSync(location, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)),
    readLink: () => unlessGone(() => readlinkSync(location, { encoding: "buffer" })),
    xattrNames: () => unlessGone(() => listXattrs(location)) ?? [],
    xattr: (name) => unlessGone(() => getXattr(location, name)),
  };
}

/** An empty file whose name carries a meaning; everything else about it is fixed. */
function marker(path: string): Uint8Array {
  return tarHeader({ path, type: "file", mode: 0o600, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 }, size: 0 });
}
