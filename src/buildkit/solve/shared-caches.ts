import type { BuildRequest } from "#build/builder.ts";
import { sharedCacheOptions } from "#engine/builds/build-service.ts";
import { NotImplementedError } from "#errors/errors.ts";

/** A cache as the control API names it. */
export interface CacheEntry {
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
}

/** The shared caches that a build is to write. Throws NotImplementedError for a type that the builder has not, InvalidParameterError for a bad option. */
export function cacheExports(entries: readonly CacheEntry[]): Pick<BuildRequest, "cacheTo"> {
  const { cacheTo = [] } = sharedCacheOptions([], entries.map(optionText));
  return { cacheTo };
}

function optionText({ type, attrs }: CacheEntry): string {
  // A directory of the client's is none of the engine's.
  if (type === "local") throw new NotImplementedError("a cache in a directory of the client is not supported yet");
  return [`type=${type}`, ...Object.entries(attrs).map(([name, value]) => `${name}=${value}`)].join(",");
}
