import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { DockerfileBuilderOptions } from "#build/dockerfile-builder.ts";
import { CacheMounts } from "#build/ops/run/cache-mounts.ts";
import { CacheMountStore } from "#store/cache-mount-store.ts";
import type { Database } from "#store/database.ts";
import { hasEmulator } from "#sys/binfmt.ts";
import { runCommand } from "#sys/command.ts";
import { inflate } from "#sys/compression/inflate.ts";
import { diskUsage } from "#sys/disk-usage.ts";
import { mountPrivateTmpfs } from "#sys/mounts/private-tmpfs.ts";
import type { EnginePaths } from "./paths.ts";
import { readXattrs } from "./read-xattrs.ts";

type BuildTools = Pick<
  DockerfileBuilderOptions,
  "readXattrs" | "inflate" | "openPrivateDirectory" | "git" | "cacheMounts" | "hasEmulator" | "scratchDirectory"
>;

/** What builds need of the kernel and of programs: `build` may not reach for it itself. */
export function buildTools(paths: EnginePaths, database: Database): BuildTools {
  return {
    readXattrs,
    hasEmulator: (architecture) => hasEmulator(architecture),
    inflate: (source) => inflate(source),
    scratchDirectory: paths.temporary,
    openPrivateDirectory: async () => mountPrivateTmpfs(join(paths.buildFiles, randomBytes(4).toString("hex"))),
    git: (args, { env, signal }) =>
      runCommand("git", args, { env: { ...proxies(), ...env }, signal, okCodes: "any", group: true }),
    cacheMounts: new CacheMounts({
      directory: paths.cacheMounts,
      store: new CacheMountStore(database),
      measure: async (path) => (await diskUsage(path)).allocatedBytes,
      copyTree: async (from, to) => void (await runCommand("cp", ["-a", "--", `${from}/.`, to])),
    }),
  };
}

/** The engine's own way out of a network, as it pulls by it. */
function proxies(): Record<string, string> {
  const names = ["http_proxy", "https_proxy", "no_proxy", "all_proxy"].flatMap((name) => [name, name.toUpperCase()]);
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
