import { existsSync } from "node:fs";
import { UnavailableError } from "#errors/errors.ts";
import { runCommand } from "#sys/command.ts";
import { findProgram } from "#sys/find-program.ts";

/** What no container runs without: a program (or one of several) or a file, and Debian's package that has it. */
interface Requirement {
  readonly anyOf: readonly string[];
  readonly package: string;
}

const REQUIREMENTS: readonly Requirement[] = [
  { anyOf: ["runc", "crun"], package: "runc" },
  { anyOf: ["conmon"], package: "conmon" },
  { anyOf: ["nft"], package: "nftables" },
  { anyOf: ["/usr/share/containers/seccomp.json"], package: "golang-github-containers-common" },
];

/** Throws UnavailableError that names all that is missing at once, and how to get it. `has` tells whether the machine has one. */
export function checkRequirements(has: (thing: string) => boolean = isInstalled): void {
  const missing = REQUIREMENTS.filter(({ anyOf }) => !anyOf.some(has));
  if (missing.length === 0) return;
  const things = missing.map(({ anyOf }) => anyOf.join(" or "));
  const packages = missing.map((requirement) => requirement.package);
  throw new UnavailableError(
    `cannot run containers: not installed: ${things.join(", ")}; on Debian: apt-get install ${packages.join(" ")}`,
  );
}

function isInstalled(thing: string): boolean {
  return thing.startsWith("/") ? existsSync(thing) : findProgram(thing) !== undefined;
}

/** Where conmon is, and its version: "conmon version 2.1.6". Throws UnavailableError when it is not installed. */
export async function findConmon(): Promise<{ readonly path: string; readonly version: string }> {
  const path = findProgram("conmon") ?? "conmon";
  const { stdout } = await runCommand(path, ["--version"]);
  return { path, version: /version\s+(\S+)/.exec(stdout)?.[1] ?? "unknown" };
}
