import { familiarString, parseReference } from "#formats/reference.ts";
import type { BuildRequest } from "../builder.ts";
import type { BuildProgress } from "../solve/progress.ts";
import { exportCache, type ShareableCache } from "./export-cache.ts";
import { ImportedCache } from "./imported-cache.ts";
import type { CacheAccess, CacheLocation, SharedCaches } from "./shared-cache.ts";

/** Reads the caches of `--cache-from`, all at once. One that cannot be read is shown and missed, as BuildKit does it. */
export async function importCaches(
  caches: SharedCaches,
  request: BuildRequest,
  progress: BuildProgress,
): Promise<readonly ImportedCache[]> {
  const { cacheFrom = [], signal } = request;
  const read = cacheFrom.map(async (location) => {
    try {
      return await progress.run(`importing cache manifest from ${nameOf(location)}`, async () => {
        return await ImportedCache.read(caches.reader(location, accessOf(request)), signal);
      });
    } catch (error) {
      if (signal.aborted) throw error;
      return undefined;
    }
  });
  return (await Promise.all(read)).filter((cache) => cache !== undefined);
}

/** Writes the caches of `--cache-to` but the inline one, which is in the image. Throws what writing throws, unless told to ignore it. */
export async function exportCaches(
  caches: SharedCaches,
  request: BuildRequest,
  cache: ShareableCache,
  progress: BuildProgress,
): Promise<void> {
  for (const target of request.cacheTo ?? []) {
    if (target.type === "inline") continue;
    try {
      await progress.run(
        `exporting cache to ${target.type === "registry" ? "registry" : "client directory"}`,
        async (vertex) => {
          vertex.status("preparing build cache for export");
          const writer = await caches.writer(target, accessOf(request));
          await exportCache(cache, target.mode, {
            has: (blob) => writer.has(blob),
            document: (bytes, digest) => writer.document(bytes, digest),
            add: async (layer) => {
              const blob = await writer.add(layer);
              vertex.status(`writing layer ${blob.digest}`);
              return blob;
            },
            finish: async (manifest, mediaType) => {
              await writer.finish(manifest, mediaType);
              vertex.status(`writing cache manifest to ${nameOf(target)}`);
            },
          });
        },
      );
    } catch (error) {
      if (!target.ignoreError || request.signal.aborted) throw error;
    }
  }
}

function accessOf({ logins, signal }: BuildRequest): CacheAccess {
  return { ...(logins ? { logins } : {}), signal };
}

function nameOf(location: CacheLocation): string {
  switch (location.type) {
    case "local":
      return location.directory;
    case "client":
      return location.name;
    case "registry":
      return familiarString(parseReference(location.reference));
  }
}
