import { SystemError } from "#errors/errors.ts";
import { joinedContainer } from "#formats/joined-container.ts";
import type { RuntimeNamespace } from "#spec/oci-runtime.ts";
import type { ContainerSpec } from "../container-runtime.ts";

export interface NamespaceContext {
  /** Pid of the main process of a container of this engine. Undefined when it does not run. */
  readonly pidOf: (containerId: string) => number | undefined;
  /** Where /dev/shm of a container that shares it is mounted on the host; undefined when it shares none. */
  readonly sharedMemoryOf: (containerId: string) => string | undefined;
  readonly isCgroup2: boolean;
  readonly supportsTime: boolean;
}

/** The namespaces of a container: all its own but those that it shares with the host or another container. */
export function resolveNamespaces(spec: ContainerSpec, context: NamespaceContext): readonly RuntimeNamespace[] {
  return [
    { type: "mount" },
    ...(spec.utsMode === "host" ? [] : [{ type: "uts" } as const]),
    ...networkNamespace(spec.network),
    ...sharedNamespace("pid", spec.pidMode, context),
    ...sharedNamespace("ipc", spec.ipcMode, context),
    ...(hasOwnCgroupNamespace(spec, context) ? [{ type: "cgroup" } as const] : []),
    ...(context.supportsTime ? [{ type: "time" } as const] : []),
  ];
}

/** Pid of the container that `mode` ("container:ID") names. Throws SystemError with Docker's words. */
export function sharedContainerPid(type: "pid" | "ipc", id: string, context: NamespaceContext): number {
  const pid = context.pidOf(id);
  if (pid === undefined)
    throw new SystemError(`failed to join ${type.toUpperCase()} namespace: container ${id} is not running`);
  return pid;
}

/**
 * With cgroup v1 a container sees the host's hierarchy, as in Docker: a v1 cgroup namespace confuses systemd and old JVMs. With v2 even a
 * privileged one has its own.
 */
function hasOwnCgroupNamespace(spec: ContainerSpec, context: NamespaceContext): boolean {
  if (spec.cgroupnsMode) return spec.cgroupnsMode === "private";
  return context.isCgroup2;
}

function networkNamespace(network: ContainerSpec["network"]): RuntimeNamespace[] {
  switch (network.kind) {
    case "host":
      return [];
    case "none":
      return [{ type: "network" }];
    case "path":
      return [{ type: "network", path: network.netnsPath }];
  }
}

function sharedNamespace(type: "pid" | "ipc", mode: string | undefined, context: NamespaceContext): RuntimeNamespace[] {
  if (mode === "host") return [];
  const container = joinedContainer(mode);
  if (container === undefined) return [{ type }];
  return [{ type, path: `/proc/${sharedContainerPid(type, container, context)}/ns/${type}` }];
}
