import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { UnavailableError } from "#errors/errors.ts";
import { isCgroup2 } from "#sys/cgroup-version.ts";
import { runCommand } from "#sys/command.ts";
import { findProgram } from "#sys/find-program.ts";
import type { RuntimeProgram } from "./container-runtime.ts";

/** A runtime by its name, and where it is if that says nothing. */
export interface WantedRuntime {
  readonly name: string;
  readonly path?: string;
}

/** The programs that containers need, as found on this machine. */
export interface RuntimePrograms {
  readonly runtime: RuntimeProgram;
  readonly conmon: { readonly path: string; readonly version: string };
  /** The runtime can give a container its own time namespace. */
  readonly supportsTime: boolean;
}

/**
 * Finds runtime and conmon on the PATH that children get. crun starts containers in less than half of runc's time, but refuses machines
 * that mount cgroup v1 controllers with cgroup v2 beside them; there runc is taken. `wanted` forces one, by its name or by a path or name of the program, which
 * says itself which of the two it is. Throws UnavailableError that names the Debian package when one is missing.
 */
export async function findRuntimePrograms(wanted?: WantedRuntime): Promise<RuntimePrograms> {
  const preferred = isHybridCgroup() ? ["runc"] : ["crun", "runc"];
  const names = wanted ? [wanted.path ?? wanted.name] : preferred;
  const path = names.map((name) => (isAbsolute(name) ? name : findProgram(name))).find((found) => found !== undefined);
  if (path === undefined || !existsSync(path)) {
    throw new UnavailableError(
      `cannot run containers: ${names.join(" or ")} is not installed: install the Debian package "${names.at(-1)}"`,
    );
  }
  const conmonPath = findProgram("conmon");
  if (!conmonPath) {
    throw new UnavailableError('cannot run containers: conmon is not installed: install the Debian package "conmon"');
  }
  const [{ name, version }, conmonVersion, supportsTime] = await Promise.all([
    runtimeVersion(path),
    programVersion(conmonPath),
    canMakeTimeNamespaces(path),
  ]);
  return {
    runtime: { name, alias: wanted?.name ?? name, path, version },
    conmon: { path: conmonPath, version: conmonVersion },
    supportsTime,
  };
}

/** cgroup v1 controllers with a cgroup v2 tree at /sys/fs/cgroup/unified, as systemd's "hybrid" layout. */
function isHybridCgroup(): boolean {
  return !isCgroup2() && existsSync("/sys/fs/cgroup/unified");
}

/** Others are wrappers of one of these, and print its version too. Throws UnavailableError for a program that is neither. */
async function runtimeVersion(path: string): Promise<Pick<RuntimeProgram, "name" | "version">> {
  const { stdout } = await runCommand(path, ["--version"], { okCodes: "any" });
  const [, name, version = "unknown"] = /^(runc|crun) version (\S+)/m.exec(stdout) ?? [];
  if (name === "runc" || name === "crun") return { name, version };
  throw new UnavailableError(`cannot run containers with ${path}: its --version names neither runc nor crun`);
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
