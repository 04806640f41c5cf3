import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { UnavailableError } from "#errors/errors.ts";
import { runCommand } from "#sys/command.ts";
import { findProgram } from "#sys/find-program.ts";
import { runtimeError } from "../runtime-errors.ts";

/** How a runtime is started. */
export interface RuntimeCommand {
  /** Absolute, or a name on the PATH that children get. */
  readonly path: string;
  /** What is given to it before all else. */
  readonly args: readonly string[];
}

/** A runtime that was found on this machine. */
export interface RuntimeProgram extends RuntimeCommand {
  /** What users call it. */
  readonly name: string;
  /** Which of them it is, or is made of. */
  readonly kind: "runc" | "crun";
  readonly version: string;
  /** It can give a container its own time namespace. */
  readonly supportsTime: boolean;
}

/**
 * Asks a runtime what it is. Throws StartError (127), in the words that Docker has for it, when there is no such program, and UnavailableError when it is
 * neither runc nor crun, nor a program around one of them, which prints its version too.
 */
export async function probeRuntime(name: string, { path: wanted, args }: RuntimeCommand): Promise<RuntimeProgram> {
  const path = isAbsolute(wanted) ? wanted : findProgram(wanted);
  if (path === undefined) throw runtimeError("create", `exec: "${wanted}": executable file not found in $PATH`);
  if (!existsSync(path)) throw runtimeError("create", `exec: "${path}": stat ${path}: no such file or directory`);
  const [known, supportsTime] = await Promise.all([kindAndVersion(path, args), canMakeTimeNamespaces(path, args)]);
  return { name, path, args, supportsTime, ...known };
}

async function kindAndVersion(
  path: string,
  args: readonly string[],
): Promise<Pick<RuntimeProgram, "kind" | "version">> {
  const { stdout } = await runCommand(path, [...args, "--version"], { okCodes: "any" });
  const [, kind, version = "unknown"] = /^(runc|crun) version (\S+)/m.exec(stdout) ?? [];
  if (kind === "runc" || kind === "crun") return { kind, version };
  throw new UnavailableError(`cannot run containers with ${path}: its --version names neither runc nor crun`);
}

/** `features` came with runc 1.1 and crun 1.8; a runtime without it has no time namespaces either. */
async function canMakeTimeNamespaces(path: string, args: readonly string[]): Promise<boolean> {
  if (!existsSync("/proc/self/ns/time")) return false;
  const { exitCode, stdout } = await runCommand(path, [...args, "features"], { okCodes: "any" });
  return exitCode === 0 && /"namespaces":\s*\[[^\]]*"time"/.test(stdout);
}
