import { InvalidParameterError } from "#errors/errors.ts";
import type { PaxRecord } from "./pax.ts";
import type { TarEntry, TarEntryType, TarTime } from "./tar-entry.ts";
import type { TarHeaderBlock } from "./tar-header-block.ts";
import { parsePaxInteger, parsePaxTime } from "./tar-numbers.ts";

/** What extension headers said about the entry to come. */
export interface TarExtensions {
  readonly pax: readonly PaxRecord[];
  /** GNU's long names. */
  readonly path?: string;
  readonly linkPath?: string;
}

const ENTRY_TYPES: Readonly<Record<string, TarEntryType>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "char-device",
  "4": "block-device",
  "5": "directory",
  "6": "fifo",
};

/**
 * The entry as the header, PAX records and GNU long names together describe it, before sparseness. Throws DataLossError for a malformed record,
 * InvalidParameterError for a type that there is not and for names longer than `maxPathBytes`.
 */
export function draftEntry(
  header: TarHeaderBlock,
  extensions: TarExtensions,
  { dataOffset, maxPathBytes }: { readonly dataOffset: number; readonly maxPathBytes: number },
): TarEntry {
  const { pax: records } = extensions;
  const pax = records.length === 0 ? NO_RECORDS : new Map(records.filter(([, value]) => value !== ""));
  const path = extensions.path ?? pax.get("GNU.sparse.name") ?? pax.get("path") ?? header.path;
  const linkPath = extensions.linkPath ?? pax.get("linkpath") ?? header.linkPath;
  for (const name of [path, linkPath]) {
    if (name.length > maxPathBytes) {
      throw new InvalidParameterError(
        `invalid tar: a name of ${name.length} bytes is over the limit of ${maxPathBytes}`,
      );
    }
  }
  const type = typeOf(header.typeFlag, path);
  const size = numberOf(pax, "size") ?? header.size;
  const stored = type === "file" ? size : 0;
  return {
    path,
    type,
    mode: header.mode & 0o7777,
    uid: numberOf(pax, "uid") ?? header.uid,
    gid: numberOf(pax, "gid") ?? header.gid,
    mtime: timeOf(pax.get("mtime")) ?? { seconds: header.mtime, nanoseconds: 0 },
    linkPath: type === "symlink" || type === "hardlink" ? linkPath : "",
    size: stored,
    major: header.major,
    minor: header.minor,
    xattrs: xattrsOf(records),
    dataOffset,
    dataSize: stored,
  };
}

function typeOf(typeFlag: string, path: string): TarEntryType {
  // V7 tar has no directories: a name that ends in "/" is one.
  if (typeFlag === "\0" && path.endsWith("/")) return "directory";
  const type = ENTRY_TYPES[typeFlag];
  if (!type) throw new InvalidParameterError(`invalid tar: unknown entry type ${JSON.stringify(typeFlag)}`);
  return type;
}

function numberOf(pax: ReadonlyMap<string, string>, key: string): number | undefined {
  const text = pax.get(key);
  return text === undefined ? undefined : parsePaxInteger(text, key);
}

function timeOf(text: string | undefined): TarTime | undefined {
  return text === undefined ? undefined : parsePaxTime(text);
}

const XATTR_PREFIX = "SCHILY.xattr.";
const NO_RECORDS: ReadonlyMap<string, string> = new Map();
const NO_XATTRS: ReadonlyMap<string, Uint8Array> = new Map();

function xattrsOf(records: readonly PaxRecord[]): ReadonlyMap<string, Uint8Array> {
  let xattrs: Map<string, Uint8Array> | undefined;
  for (const [key, value] of records) {
    if (!key.startsWith(XATTR_PREFIX)) continue;
    xattrs ??= new Map();
    xattrs.set(key.slice(XATTR_PREFIX.length), Buffer.from(value, "latin1"));
  }
  return xattrs ?? NO_XATTRS;
}
