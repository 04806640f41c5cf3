import { readFileSync } from "node:fs";
import { release } from "node:os";
import { errorCode, errorMessage, InvalidParameterError, UnavailableError } from "#errors/errors.ts";
import type { RuntimeSeccomp, RuntimeSeccompArgument, RuntimeSeccompRule } from "#spec/oci-runtime.ts";
import { EPERM, NAMESPACE_CLONE_FLAGS, SOCKET_FAMILIES, WITHHELD_CALLS } from "./seccomp-tightening.ts";

const PROFILE_PATH = "/usr/share/containers/seccomp.json";
const ALLOW = "SCMP_ACT_ALLOW";
const ERRNO = "SCMP_ACT_ERRNO";

/** A profile as Docker and Podman write it: rules with conditions, which the OCI form does not have. */
interface Profile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly archMap?: readonly { readonly architecture: string; readonly subArchitectures?: readonly string[] | null }[];
  readonly architectures?: readonly string[];
  readonly syscalls?: readonly ProfileRule[];
}

interface ProfileRule {
  readonly names?: readonly string[];
  readonly name?: string;
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly RuntimeSeccompArgument[] | null;
  readonly includes?: Conditions;
  readonly excludes?: Conditions;
}

interface Conditions {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  readonly minKernel?: string;
}

/** Go's name of the machine and libseccomp's, by Node's. */
const ARCHITECTURES: Readonly<Record<string, { readonly go: string; readonly seccomp: string }>> = {
  x64: { go: "amd64", seccomp: "SCMP_ARCH_X86_64" },
  arm64: { go: "arm64", seccomp: "SCMP_ARCH_AARCH64" },
  arm: { go: "arm", seccomp: "SCMP_ARCH_ARM" },
  ppc64: { go: "ppc64le", seccomp: "SCMP_ARCH_PPC64LE" },
  s390x: { go: "s390x", seccomp: "SCMP_ARCH_S390X" },
  riscv64: { go: "riscv64", seccomp: "SCMP_ARCH_RISCV64" },
};

/**
 * The x32 ABI is off in Debian's kernels, and nothing is built for it. Compiling the filter for it as well would cost 10 ms at the start
 * of each container; without it, its calls end the process.
 */
const UNUSED_ARCHITECTURES: ReadonlySet<string> = new Set(["SCMP_ARCH_X32"]);

/** Resolves profiles for this machine; keeps each answer, since containers with the same capabilities have the same filter. */
export class SeccompProfiles {
  readonly #profilePath: string;
  readonly #resolved = new Map<string, RuntimeSeccomp>();
  #default: Profile | undefined;

  constructor(profilePath: string = PROFILE_PATH) {
    this.#profilePath = profilePath;
  }

  /** The default filter of a container with these capabilities. Throws UnavailableError when the profile is not installed. */
  default(capabilities: readonly string[]): RuntimeSeccomp {
    const key = capabilities.join();
    const known = this.#resolved.get(key);
    if (known) return known;
    this.#default ??= tighten(this.#load());
    const resolved = resolveProfile(this.#default, capabilities);
    this.#resolved.set(key, resolved);
    return resolved;
  }

  /** A profile that the client sent, as text. Throws InvalidParameterError with Docker's words. */
  custom(text: string, capabilities: readonly string[]): RuntimeSeccomp {
    try {
      return resolveProfile(JSON.parse(text), capabilities);
    } catch (cause) {
      throw new InvalidParameterError(`Decoding seccomp profile failed: ${errorMessage(cause)}`, { cause });
    }
  }

  #load(): Profile {
    try {
      return JSON.parse(readFileSync(this.#profilePath, "utf8"));
    } catch (cause) {
      if (errorCode(cause) !== "ENOENT") throw cause;
      throw new UnavailableError(
        `cannot find the seccomp profile "${this.#profilePath}": install the Debian package golang-github-containers-common`,
        { cause },
      );
    }
  }
}

/** Docker's conditions on top of the shipped profile; see seccomp-tightening.ts. */
function tighten(profile: Profile): Profile {
  const withheld = new Set(WITHHELD_CALLS.flatMap((entry) => entry.names));
  const kept = (profile.syscalls ?? []).flatMap((rule) => {
    const names = ruleNames(rule).filter((name) => name !== "socket" && !(withheld.has(name) && isUnconditional(rule)));
    return names.length === 0 ? [] : [{ ...rule, names }];
  });
  return { ...profile, syscalls: [...kept, ...withheldRules(), ...cloneRules(), ...socketRules()] };
}

function withheldRules(): ProfileRule[] {
  return WITHHELD_CALLS.flatMap(({ names, unless, errno }) => [
    ...unless.map((capability) => ({ names, action: ALLOW, includes: { caps: [capability] } })),
    // An outright refusal of clone() would contradict the allowance below: it is refused flag by flag.
    ...(names.includes("clone") ? [] : [{ names, action: ERRNO, errnoRet: errno, excludes: { caps: unless } }]),
  ]);
}

function cloneRules(): ProfileRule[] {
  const masked = (index: number, value: number, valueTwo: number): RuntimeSeccompArgument[] => [
    { index, value, valueTwo, op: "SCMP_CMP_MASKED_EQ" },
  ];
  const flags = Array.from({ length: 31 }, (_, bit) => 1 << bit).filter((flag) => NAMESPACE_CLONE_FLAGS & flag);
  const rules = (index: number, conditions: Pick<ProfileRule, "includes" | "excludes">): ProfileRule[] => [
    { names: ["clone"], action: ALLOW, args: masked(index, NAMESPACE_CLONE_FLAGS, 0), ...conditions },
    // The shipped profile's default is ENOSYS, which says that there is no clone().
    ...flags.map((flag) => ({
      names: ["clone"],
      action: ERRNO,
      errnoRet: EPERM,
      args: masked(index, flag, flag),
      ...conditions,
    })),
  ];
  const caps = ["CAP_SYS_ADMIN"];
  const s390 = ["s390", "s390x"];
  // On s390 the first two arguments of clone() are swapped.
  return [
    ...rules(0, { excludes: { caps, arches: s390 } }),
    ...rules(1, { includes: { arches: s390 }, excludes: { caps } }),
  ];
}

function socketRules(): ProfileRule[] {
  return SOCKET_FAMILIES.map(({ op, value }) => ({
    names: ["socket"],
    action: ALLOW,
    args: [{ index: 0, value, valueTwo: 0, op }],
  }));
}

/** Drops the conditions by deciding them for this machine and these capabilities. */
function resolveProfile(profile: Profile, capabilities: readonly string[]): RuntimeSeccomp {
  const machine = ARCHITECTURES[process.arch];
  const held = new Set(capabilities);
  const family = profile.archMap?.find((entry) => entry.architecture === machine?.seccomp);
  const architectures = family ? [family.architecture, ...(family.subArchitectures ?? [])] : profile.architectures;
  const filtered = (architectures ?? []).filter((name) => !UNUSED_ARCHITECTURES.has(name));
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: filtered,
    syscalls: (profile.syscalls ?? []).filter((rule) => applies(rule, held, machine?.go ?? "")).map(plainRule),
  };
}

function plainRule(rule: ProfileRule): RuntimeSeccompRule {
  return {
    names: ruleNames(rule),
    action: rule.action,
    ...(rule.errnoRet === undefined ? (rule.action === ERRNO ? { errnoRet: EPERM } : {}) : { errnoRet: rule.errnoRet }),
    ...(rule.args && rule.args.length > 0 ? { args: rule.args } : {}),
  };
}

/** Docker's reading: all included capabilities are needed, one excluded is enough to leave the rule out. */
function applies(rule: ProfileRule, held: ReadonlySet<string>, architecture: string): boolean {
  const { includes = {}, excludes = {} } = rule;
  if (includes.arches?.length && !includes.arches.includes(architecture)) return false;
  if (excludes.arches?.includes(architecture)) return false;
  if (!(includes.caps ?? []).every((name) => held.has(name))) return false;
  if ((excludes.caps ?? []).some((name) => held.has(name))) return false;
  if (includes.minKernel && compareVersions(release(), includes.minKernel) < 0) return false;
  return !(excludes.minKernel && compareVersions(release(), excludes.minKernel) >= 0);
}

function isUnconditional(rule: ProfileRule): boolean {
  return !rule.args?.length && !rule.includes?.caps?.length && !rule.excludes?.caps?.length;
}

function ruleNames(rule: ProfileRule): readonly string[] {
  return rule.names ?? (rule.name === undefined ? [] : [rule.name]);
}

/** Compares the first two numbers of kernel versions ("6.18.44-x", "4.8"). */
function compareVersions(left: string, right: string): number {
  const [leftMajor = 0, leftMinor = 0] = left.split(".").map((part) => Number.parseInt(part, 10));
  const [rightMajor = 0, rightMinor = 0] = right.split(".").map((part) => Number.parseInt(part, 10));
  return leftMajor - rightMajor || leftMinor - rightMinor;
}
