import type { BuildRequest } from "#build/builder.ts";
import type { CacheLocation } from "#build/shared-cache/shared-cache.ts";
import { sharedCacheOptions } from "#engine/builds/build-service.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { isDigest } from "#formats/digest.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import { clientBlobs } from "../session/client-content.ts";
import type { Session } from "../session/session.ts";

/** A cache as the control API and the frontend's attributes name it. */
export interface CacheEntry {
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
}

type Caches = Pick<BuildRequest, "cacheFrom" | "cacheTo">;

export interface SharedCacheSolve {
  readonly session: Session;
  readonly imports: readonly CacheEntry[];
  readonly exports: readonly CacheEntry[];
  /** Hears of caches written into directories of the client's. */
  readonly onManifest: (manifest: Descriptor) => void;
}

/**
 * The shared caches that a build reads and writes; directories are the client's. Throws NotImplementedError for a type that the builder has not,
 * InvalidParameterError for a bad option.
 */
export function sharedCaches({ session, imports, exports, onManifest }: SharedCacheSolve): Caches {
  const from = imports.map((entry): CacheLocation[] => {
    if (entry.type !== "local") return [...(sharedCacheOptions([optionText(entry)], []).cacheFrom ?? [])];
    return [clientDirectory(session, entry, "src")];
  });
  const to = exports.map((entry): NonNullable<Caches["cacheTo"]>[number][] => {
    const { mode = "min", "ignore-error": ignoreError = "false" } = entry.attrs;
    if (entry.type !== "local") return [...(sharedCacheOptions([], [optionText(entry)]).cacheTo ?? [])];
    if (mode !== "min" && mode !== "max") throw new InvalidParameterError(`invalid mode "${mode}": use min or max`);
    return [{ ...clientDirectory(session, entry, "dest"), onManifest, mode, ignoreError: ignoreError === "true" }];
  });
  return { cacheFrom: from.flat(), cacheTo: to.flat() };
}

/** The client has looked up which manifest its index names. */
function clientDirectory(
  session: Session,
  { attrs }: CacheEntry,
  key: "src" | "dest",
): Extract<CacheLocation, { readonly type: "client" }> {
  const name = attrs[key] ?? "";
  const { digest } = attrs;
  if (name === "") throw new InvalidParameterError(`a cache of type local needs ${key}`);
  if (digest !== undefined && !isDigest(digest)) throw new InvalidParameterError(`invalid digest of cache ${name}`);
  return { type: "client", name, blobs: clientBlobs(session, `local:${name}`), ...(digest ? { digest } : {}) };
}

function optionText({ type, attrs }: CacheEntry): string {
  return [`type=${type}`, ...Object.entries(attrs).map(([name, value]) => `${name}=${value}`)].join(",");
}
