import { InvalidParameterError } from "#errors/errors.ts";
import type { RuntimeCapabilities } from "#spec/oci-runtime.ts";

/** What a container may do by default: Docker's fourteen. https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];

/** All of capabilities(7), in the kernel's order: the index is the bit. */
const ALL_CAPABILITIES: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
];

const ALL = "ALL";

export interface CapabilityRequest {
  readonly privileged: boolean;
  /** Names with or without "CAP_", any case, or "ALL". */
  readonly add: readonly string[];
  readonly drop: readonly string[];
}

/**
 * The capabilities of a container, full names. `held` is what the engine itself has: "ALL" cannot mean more, and the runtime fails on a
 * capability that it cannot give. Throws InvalidParameterError with Docker's words on an unknown name.
 */
export function resolveCapabilities(request: CapabilityRequest, held: ReadonlySet<string>): readonly string[] {
  const add = request.add.map((name) => normalise("CapAdd", name));
  const drop = request.drop.map((name) => normalise("CapDrop", name));
  const grantable = ALL_CAPABILITIES.filter((name) => held.has(name));
  if (request.privileged) return grantable;
  const basis = drop.includes(ALL) ? [] : add.includes(ALL) ? grantable : DEFAULT_CAPABILITIES;
  // `--cap-drop ALL --cap-add ALL` is everything in Docker: what is added wins over the general drop.
  const start = add.includes(ALL) ? grantable : basis;
  const dropped = new Set(drop);
  const wanted = new Set([...start.filter((name) => !dropped.has(name)), ...add.filter((name) => name !== ALL)]);
  return ALL_CAPABILITIES.filter((name) => wanted.has(name) && (held.has(name) || add.includes(name)));
}

/**
 * The five sets. Root gets the capabilities as permitted and effective. For another user execve would clear those anyway; what the
 * client added by name must survive it, so that becomes ambient (Podman's rule).
 */
export function capabilitySets(names: readonly string[], uid: number, added: readonly string[]): RuntimeCapabilities {
  if (uid === 0) return { bounding: names, effective: names, permitted: names, inheritable: [], ambient: [] };
  const kept = names.filter((name) => added.map((name) => normalise("CapAdd", name)).includes(name));
  return { bounding: names, effective: kept, permitted: kept, inheritable: kept, ambient: kept };
}

/** Names of the bits of a capability mask as /proc/PID/status prints it (hexadecimal). */
export function capabilityNames(mask: string): ReadonlySet<string> {
  const bits = BigInt(`0x${mask}`);
  return new Set(ALL_CAPABILITIES.filter((_name, bit) => (bits >> BigInt(bit)) & 1n));
}

/** Throws InvalidParameterError with Docker's words on an unknown name in a request's `field`. */
export function checkCapabilities(field: "CapAdd" | "CapDrop", names: readonly string[]): void {
  for (const name of names) normalise(field, name);
}

function normalise(field: string, name: string): string {
  const upper = name.toUpperCase();
  if (upper === ALL || upper === "CAP_ALL") return ALL;
  const full = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (!ALL_CAPABILITIES.includes(full)) {
    throw new InvalidParameterError(`invalid ${field}: unknown capability: "${full}"`);
  }
  return full;
}
