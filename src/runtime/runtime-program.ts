import { existsSync } from "node:fs";
import { UnavailableError } from "#errors/errors.ts";
import { isCgroup2 } from "#sys/cgroup-version.ts";
import { runCommand } from "#sys/command.ts";
import { findProgram } from "#sys/find-program.ts";
import type { RuntimeProgram } from "./container-runtime.ts";

/** The programs that containers need, as found on this machine. */
export interface RuntimePrograms {
  readonly runtime: RuntimeProgram;
  readonly conmon: { readonly path: string; readonly version: string };
  /** The runtime can give a container its own time namespace. */
  readonly supportsTime: boolean;
}

/**
 * Finds runtime and conmon on the PATH that children get. crun starts containers in less than half of runc's time, but refuses machines
 * that mount cgroup v1 controllers with cgroup v2 beside them; there runc is taken. `wanted` forces one.
 * Throws UnavailableError that names the Debian package when one is missing.
 */
export async function findRuntimePrograms(wanted?: RuntimeProgram["name"]): Promise<RuntimePrograms> {
  const preferred: readonly RuntimeProgram["name"][] = isHybridCgroup() ? ["runc"] : ["crun", "runc"];
  const names = wanted ? [wanted] : preferred;
  const found = names.map((name) => ({ name, path: findProgram(name) })).find(({ path }) => path !== undefined);
  if (!found?.path) {
    throw new UnavailableError(
      `cannot run containers: ${names.join(" or ")} is not installed: install the Debian package "${names.at(-1)}"`,
    );
  }
  const conmonPath = findProgram("conmon");
  if (!conmonPath) {
    throw new UnavailableError('cannot run containers: conmon is not installed: install the Debian package "conmon"');
  }
  const [version, conmonVersion, supportsTime] = await Promise.all([
    programVersion(found.path),
    programVersion(conmonPath),
    canMakeTimeNamespaces(found.path),
  ]);
  return {
    runtime: { name: found.name, path: found.path, version },
    conmon: { path: conmonPath, version: conmonVersion },
    supportsTime,
  };
}

/** cgroup v1 controllers with a cgroup v2 tree at /sys/fs/cgroup/unified, as systemd's "hybrid" layout. */
function isHybridCgroup(): boolean {
  return !isCgroup2() && existsSync("/sys/fs/cgroup/unified");
}

/** "runc version 1.1.5+ds1", "crun version 1.8.1", "conmon version 2.1.6": the third word of the first line. */
async function programVersion(path: string): Promise<string> {
  const { stdout } = await runCommand(path, ["--version"]);
  return /version\s+(\S+)/.exec(stdout)?.[1] ?? "unknown";
}

/** `features` came with runc 1.1 and crun 1.8; a runtime without it has no time namespaces either. */
async function canMakeTimeNamespaces(path: string): Promise<boolean> {
  if (!existsSync("/proc/self/ns/time")) return false;
  const { exitCode, stdout } = await runCommand(path, ["features"], { okCodes: "any" });
  return exitCode === 0 && /"namespaces":\s*\[[^\]]*"time"/.test(stdout);
}
