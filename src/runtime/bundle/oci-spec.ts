import { InvalidParameterError } from "#errors/errors.ts";
import type { RuntimeConfig, RuntimeLinux, RuntimeProcess, RuntimeSeccomp } from "#spec/oci-runtime.ts";
import type { ContainerSpec } from "../container-runtime.ts";
import type { HostFacts } from "../host-facts.ts";
import { capabilitySets, resolveCapabilities } from "./capabilities.ts";
import { resolveDevices } from "./devices.ts";
import { findInitProgram, INIT_DESTINATION } from "./init-program.ts";
import { maskedPaths, READONLY_PATHS } from "./masked-paths.ts";
import { resolveMounts, rootfsPropagation } from "./mounts.ts";
import { type NamespaceContext, resolveNamespaces } from "./namespaces.ts";
import { resolveResources } from "./resources.ts";
import { resolveRlimits } from "./rlimits.ts";
import type { SeccompProfiles } from "./seccomp.ts";
import { parseSecurityOptions, type SecurityOptions } from "./security-options.ts";
import type { ResolvedUser } from "./user.ts";

const OCI_VERSION = "1.0.2";

export interface SpecContext extends NamespaceContext {
  readonly host: HostFacts;
  readonly seccomp: SeccompProfiles;
  readonly user: ResolvedUser;
  /** Absolute, from the root of the cgroup tree. */
  readonly cgroupsPath: string;
}

/**
 * The runtime's configuration of a container. Pure but for looking up devices, the seccomp profile and the init program on the host.
 * Throws InvalidParameterError with Docker's words on a bad value.
 */
export function makeRuntimeConfig(spec: ContainerSpec, context: SpecContext): RuntimeConfig {
  const security = parseSecurityOptions(spec.securityOpt);
  const withInit = spec.init ? addInit(spec) : spec;
  const capabilities = resolveCapabilities(
    { privileged: spec.privileged, add: spec.capAdd, drop: spec.capDrop },
    context.host.capabilities,
  );
  const mounts = resolveMounts(withInit, context, security.writableCgroups);
  const propagation = rootfsPropagation(mounts);
  return {
    ociVersion: OCI_VERSION,
    process: makeProcess(withInit, capabilities, security, context),
    root: { path: spec.rootfs, readonly: spec.readonlyRootfs },
    // In the host's UTS namespace it would rename the host.
    ...(spec.utsMode === "host" ? {} : { hostname: spec.hostname }),
    mounts,
    linux: {
      ...makeLinux(spec, capabilities, security, context),
      ...(propagation ? { rootfsPropagation: propagation } : {}),
    },
    ...(spec.annotations && Object.keys(spec.annotations).length > 0 ? { annotations: spec.annotations } : {}),
  };
}

/** The configuration as JSON. Infinity, which JSON does not have, is the kernel's RLIM_INFINITY. */
export function serialiseConfig(config: RuntimeConfig | RuntimeProcess): string {
  return JSON.stringify(config, (_key, value) =>
    value === Number.POSITIVE_INFINITY ? RAW.rawJSON(UINT64_MAX) : value,
  );
}

/** The reverse of {@link serialiseConfig}: an unlimited limit, which is no double, is infinity again. */
export function parseConfig(text: string): RuntimeConfig {
  const config: RuntimeConfig = JSON.parse(text);
  const number = (value: number): number => (value >= 2 ** 64 ? Number.POSITIVE_INFINITY : value);
  const rlimits = config.process.rlimits?.map((limit) => ({
    ...limit,
    soft: number(limit.soft),
    hard: number(limit.hard),
  }));
  return rlimits ? { ...config, process: { ...config.process, rlimits } } : config;
}

const UINT64_MAX = "18446744073709551615";
/** 2^64 - 1 is not a double, so it is written as text. https://github.com/tc39/proposal-json-parse-with-source, not yet in TypeScript. */
const RAW = JSON as JSON & { rawJSON(text: string): unknown };

function addInit(spec: ContainerSpec): ContainerSpec {
  const init = { source: spec.initPath ?? findInitProgram(), destination: INIT_DESTINATION, readonly: true };
  return { ...spec, args: [INIT_DESTINATION, "--", ...spec.args], mounts: [...spec.mounts, init] };
}

function makeProcess(
  spec: ContainerSpec,
  capabilities: readonly string[],
  security: SecurityOptions,
  context: SpecContext,
): RuntimeProcess {
  const { host, user } = context;
  return {
    terminal: spec.terminal,
    ...(spec.terminal && spec.terminalSize
      ? { consoleSize: { height: spec.terminalSize.rows, width: spec.terminalSize.columns } }
      : {}),
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: spec.args,
    env: withHome([...spec.env, ...(spec.secretEnv ?? [])], user.home),
    cwd: spec.cwd || "/",
    capabilities: capabilitySets(capabilities, user.uid, spec.privileged ? [] : spec.capAdd),
    rlimits: resolveRlimits(spec.ulimits ?? [], host.ceilings),
    noNewPrivileges: security.noNewPrivileges,
    ...(security.apparmor && host.hasAppArmor ? { apparmorProfile: security.apparmor } : {}),
    ...(spec.oomScoreAdj === undefined ? {} : { oomScoreAdj: checkedOomScore(spec.oomScoreAdj, host) }),
  };
}

/** runc dies without a word when the kernel refuses it. */
function checkedOomScore(wanted: number, { leastOomScore }: HostFacts): number {
  if (wanted >= leastOomScore) return wanted;
  throw new InvalidParameterError(
    `cannot set OomScoreAdj ${wanted}: the engine's own is ${leastOomScore} and it lacks CAP_SYS_RESOURCE to go below that`,
  );
}

/** HOME is the user's, unless the image or the client says otherwise. */
export function withHome(env: readonly string[], home: string): readonly string[] {
  return env.some((entry) => entry.startsWith("HOME=")) ? env : [...env, `HOME=${home}`];
}

function makeLinux(
  spec: ContainerSpec,
  capabilities: readonly string[],
  security: SecurityOptions,
  context: SpecContext,
): RuntimeLinux {
  const { devices, rules } = resolveDevices(spec.devices ?? [], spec.deviceCgroupRules ?? [], spec.privileged);
  const seccomp = spec.privileged ? undefined : chooseSeccomp(security.seccomp, capabilities, context.seccomp);
  return {
    namespaces: resolveNamespaces(spec, context),
    cgroupsPath: context.cgroupsPath,
    resources: resolveResources(spec.resources, rules, context.host.hasSwapAccounting),
    ...(devices.length > 0 ? { devices } : {}),
    ...(seccomp ? { seccomp } : {}),
    sysctl: { ...defaultSysctls(spec), ...spec.sysctls },
    ...(spec.privileged
      ? {}
      : { maskedPaths: spec.maskedPaths ?? maskedPaths(), readonlyPaths: spec.readonlyPaths ?? READONLY_PATHS }),
  };
}

function chooseSeccomp(
  wanted: string,
  capabilities: readonly string[],
  profiles: SeccompProfiles,
): RuntimeSeccomp | undefined {
  if (wanted === "unconfined") return undefined;
  return wanted === "default" ? profiles.default(capabilities) : profiles.custom(wanted, capabilities);
}

/**
 * In a network namespace of its own a container may ping and listen on low ports without capabilities, as in Docker. The domain name is a
 * sysctl because runtimes know no field for it (runc before 1.2).
 */
function defaultSysctls(spec: ContainerSpec): Readonly<Record<string, string>> {
  return {
    ...(spec.domainname && spec.utsMode !== "host" ? { "kernel.domainname": spec.domainname } : {}),
    ...(spec.network.kind === "host"
      ? {}
      : { "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647" }),
  };
}
