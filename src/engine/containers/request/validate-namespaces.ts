import { InvalidParameterError } from "#errors/errors.ts";
import { joinedContainer } from "#formats/joined-container.ts";
import type { ContainerConfig, ContainerCreateRequest, HostConfig } from "#spec/docker-containers.ts";

/** Throws InvalidParameterError, in Docker's words, for a namespace mode that there is not. */
export function checkNamespaceModes(hostConfig: HostConfig): void {
  const { PidMode = "", IpcMode = "", UTSMode = "", UsernsMode = "", CgroupnsMode = "" } = hostConfig;
  if (!isShared(PidMode)) throw new InvalidParameterError(`invalid PID mode: ${PidMode}`);
  if (!isShared(IpcMode) && !["none", "private", "shareable"].includes(IpcMode))
    throw new InvalidParameterError(`invalid IPC mode: ${IpcMode}`);
  if (!["", "host"].includes(UTSMode)) throw new InvalidParameterError(`invalid UTS mode: ${UTSMode}`);
  if (!["", "host", "private"].includes(CgroupnsMode))
    throw new InvalidParameterError(`invalid cgroup namespace mode: ${CgroupnsMode}`);
  // User namespaces are never remapped here, so that the host's is what every container has.
  if (UsernsMode !== "" && UsernsMode !== "host")
    throw new InvalidParameterError(`invalid user namespace mode: ${UsernsMode}`);
}

function isShared(mode: string): boolean {
  return mode === "" || mode === "host" || Boolean(joinedContainer(mode));
}

/** Pairs of wishes that cannot both be met. https://github.com/moby/moby/blob/v28.2.2/runconfig/hostconfig_unix.go (validateNetMode) */
export function checkNamespaceConflicts(config: ContainerCreateRequest, hostConfig: HostConfig): void {
  const { NetworkMode: mode = "", UTSMode = "" } = hostConfig;
  const network = joinedContainer(mode);
  if (network === "" || mode === "container")
    throw conflict("Invalid network mode: invalid container format container:<name|id>");
  if (network !== undefined) checkJoinedNetwork(config, hostConfig);
  if ((network !== undefined || mode === "host") && asksForMacAddress(config))
    throw conflict("conflicting options: mac-address and the network mode");
  if (UTSMode === "host" && config.Hostname) throw conflict("conflicting options: hostname and the UTS mode");
  if (mode === "host" && hostConfig.Links?.length)
    throw conflict(
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    );
}

/** Clients ask for it where it has always been, or from 1.44 on of the network. */
function asksForMacAddress({ MacAddress, NetworkingConfig }: ContainerCreateRequest): boolean {
  const endpoints = Object.values(NetworkingConfig?.EndpointsConfig ?? {});
  return Boolean(MacAddress) || endpoints.some((endpoint) => Boolean(endpoint?.MacAddress));
}

function checkJoinedNetwork(config: ContainerConfig, hostConfig: HostConfig): void {
  const { Links, Dns, ExtraHosts, PortBindings, PublishAllPorts } = hostConfig;
  if (config.Hostname) throw conflict("conflicting options: hostname and the network mode");
  if (Links?.length)
    throw conflict(
      "conflicting options: container type network can't be used with links. This would result in undefined behavior",
    );
  if (Dns?.length) throw conflict("conflicting options: dns and the network mode");
  if (ExtraHosts?.length) throw conflict("conflicting options: custom host-to-IP mapping and the network mode");
  if (Object.keys(PortBindings ?? {}).length > 0 || PublishAllPorts)
    throw conflict("conflicting options: port publishing and the container type network mode");
  if (Object.keys(config.ExposedPorts ?? {}).length > 0)
    throw conflict("conflicting options: port exposing and the container type network mode");
}

/** A request that contradicts itself is a bad one (400); 409 is for what exists. */
function conflict(text: string): InvalidParameterError {
  return new InvalidParameterError(text);
}
