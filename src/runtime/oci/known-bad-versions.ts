import type { RuntimeProgram } from "./program.ts";

interface KnownFlaw {
  readonly kind: RuntimeProgram["kind"];
  /** First version without the flaw, "1.2.3". */
  readonly fixedIn: string;
  readonly note: string;
}

/** Flaws that Berth works around or that an administrator should know of. Debian backports some fixes without a new number. */
const KNOWN_FLAWS: readonly KnownFlaw[] = [
  {
    kind: "runc",
    fixedIn: "1.1.12",
    note: "CVE-2024-21626 (leaked descriptors) is fixed in 1.1.12; Debian 12 has the fix in 1.1.5",
  },
  {
    kind: "runc",
    fixedIn: "1.2.8",
    note: "CVE-2025-31133, CVE-2025-52565, CVE-2025-52881 (races on masked paths and consoles) are fixed in 1.2.8, 1.3.3 and 1.4.0",
  },
  {
    kind: "crun",
    fixedIn: "1.9",
    note: "CVE-2026-47766 (device nodes outside the root when /dev is a link): Berth refuses such roots itself",
  },
];

/** Notes for `info` on the runtime in use. */
export function runtimeWarnings(program: RuntimeProgram): readonly string[] {
  return KNOWN_FLAWS.filter((flaw) => flaw.kind === program.kind && isOlder(program.version, flaw.fixedIn)).map(
    (flaw) => `${program.kind} ${program.version}: ${flaw.note}`,
  );
}

/** Whether version `version` ("1.1.5+ds1") came before `than` ("1.2.3"). */
export function isOlder(version: string, than: string): boolean {
  const left = numbers(version);
  const right = numbers(than);
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function numbers(version: string): number[] {
  return version.split(/[.+~-]/).map((part) => Number.parseInt(part, 10) || 0);
}
