import { InvalidParameterError } from "#errors/errors.ts";
import type { HostConfig } from "#spec/docker-containers.ts";

const IPC_SYSCTLS: ReadonlySet<string> = new Set(
  "kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax kernel.shmmni kernel.shm_rmid_forced".split(
    " ",
  ),
);

/**
 * Refuses what would change the host, or a container that this one shares nothing else with: a kernel parameter that no namespace of the
 * container's own has. The runtime would refuse it at the start; Docker lets the container be made first.
 * https://github.com/opencontainers/runc/blob/v1.1.5/libcontainer/configs/validate/validator.go (sysctl)
 */
export function checkSysctls({ Sysctls, NetworkMode, IpcMode, UTSMode }: HostConfig): void {
  for (const name of Object.keys(Sysctls ?? {}).map(dotted)) {
    if (name.startsWith("net.")) {
      if (NetworkMode === "host") throw refused(name, "not allowed in host network namespace");
    } else if (IPC_SYSCTLS.has(name) || name.startsWith("fs.mqueue.")) {
      if (IpcMode === "host") throw refused(name, "is not allowed in the hosts ipc namespace");
    } else if (name === "kernel.domainname") {
      if (UTSMode === "host") throw refused(name, "is not allowed in the hosts uts namespace");
    } else if (name === "kernel.hostname") {
      throw refused(name, "is not allowed as it conflicts with the OCI hostname field: use Hostname");
    } else throw refused(name, "is not in a separate kernel namespace");
  }
}

/** `net/ipv4/ip_forward` is `net.ipv4.ip_forward`; where a name is written with slashes, its dots are part of it. sysctl.d(5) */
function dotted(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  return first === "/" ? name.replaceAll(/[./]/g, (sign) => (sign === "/" ? "." : "/")) : name;
}

function refused(name: string, why: string): InvalidParameterError {
  return new InvalidParameterError(`sysctl "${name}" ${why}`);
}
