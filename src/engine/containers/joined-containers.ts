import { InvalidParameterError } from "#errors/errors.ts";
import { JOINED_PREFIX, joinedContainer } from "#formats/joined-container.ts";
import type { HostConfig } from "#spec/docker-containers.ts";
import type { ContainerRecord } from "./container-record.ts";
import type { ContainerStore } from "./container-store.ts";

/**
 * A container that a request names besides its image. Throws InvalidParameterError when there is none: a client takes NotFound at create to
 * speak of the image, and pulls that.
 */
export function namedContainer(containers: ContainerStore, name: string): ContainerRecord {
  const found = containers.lookup(name);
  if (!found) throw new InvalidParameterError(`No such container: ${name}`);
  return found;
}

/**
 * HostConfig with the containers whose namespaces it joins by their ids, so that renaming one does not part them. The one whose network it
 * joins need not exist before the start. Throws InvalidParameterError when another one does not.
 */
export function joinsById(containers: ContainerStore, hostConfig: HostConfig): HostConfig {
  const byId = (mode = ""): string => {
    const name = joinedContainer(mode);
    return name === undefined ? mode : `${JOINED_PREFIX}${namedContainer(containers, name).id}`;
  };
  const network = joinedContainer(hostConfig.NetworkMode);
  const isThere = network !== undefined && containers.lookup(network) !== undefined;
  return {
    ...hostConfig,
    ...(isThere ? { NetworkMode: byId(hostConfig.NetworkMode) } : {}),
    PidMode: byId(hostConfig.PidMode),
    IpcMode: ipcModeById(containers, hostConfig.IpcMode),
  };
}

/** Whether that container shares its IPC namespace shows when the new one starts. One that has it from elsewhere has none of its own to share. */
function ipcModeById(containers: ContainerStore, mode = ""): string {
  const name = joinedContainer(mode);
  if (name === undefined) return mode;
  const { id, hostConfig } = namedContainer(containers, name);
  if (hostConfig.IpcMode === "host" || joinedContainer(hostConfig.IpcMode) !== undefined)
    return hostConfig.IpcMode ?? "";
  return `${JOINED_PREFIX}${id}`;
}
