import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import type { ContainerCreateRequest, HostConfig } from "#spec/docker-api.ts";
import { type ContainerContext, containerFiles } from "./container-context.ts";
import { type ContainerRecord, eventAttributes, NEW_STATE } from "./container-record.ts";
import type { ContainerStore } from "./container-store.ts";
import { joinedContainer, joinsById } from "./joined-containers.ts";
import { mergeConfig } from "./merge-config.ts";
import { resolveMounts } from "./mounts.ts";
import { portRequests } from "./port-requests.ts";
import { randomName } from "./random-name.ts";
import { checkCreateRequest, checkName } from "./validate-create.ts";

const DEFAULT_SHM = 64 * 1024 * 1024;

/**
 * Makes a container: checks the request, joins it with the image's defaults, makes its volumes and its writable directory, and writes it
 * down. Nothing runs yet. On failure nothing stays, except named volumes that the user asked for by name.
 */
export async function createContainer(
  context: ContainerContext,
  request: ContainerCreateRequest,
  name: string,
): Promise<ContainerRecord> {
  if (name !== "") checkName(name);
  checkCreateRequest(request);
  const image = context.images.find(request.Image ?? "");
  const id = randomBytes(32).toString("hex");
  const hostConfig = joinsById(context.containers, withDefaults(request.HostConfig ?? {}));
  const ownName = defaultHostname(context.containers, hostConfig, id);
  const config = mergeConfig(request, image.config.config ?? {}, ownName);
  portRequests(config, hostConfig);
  // `run` starts it next.
  context.runtime.anticipate();
  const mounts = await resolveMounts(context, config, hostConfig);
  const record: ContainerRecord = {
    id,
    name: name || randomName((candidate) => context.containers.hasName(candidate)),
    created: Date.now(),
    imageId: image.id,
    imageName: request.Image ?? "",
    config,
    hostConfig,
    endpointRequests: request.NetworkingConfig?.EndpointsConfig ?? {},
    mounts,
    state: NEW_STATE,
  };
  await makeDurable(context, record);
  context.events.publish("container", "create", id, eventAttributes(record));
  return record;
}

/** The row comes last, so that a crash before it leaves only directories that start-up sweeps. */
async function makeDurable(context: ContainerContext, record: ContainerRecord): Promise<void> {
  const files = containerFiles(context, record.id);
  try {
    await mkdir(files.directory, { mode: 0o700 });
    await context.snapshotter.prepare(record.id, context.images.layers(record.imageId), {
      volatile: record.hostConfig.AutoRemove ?? false,
    });
    context.containers.add(record);
  } catch (error) {
    await context.snapshotter.remove(record.id);
    await rm(files.directory, { recursive: true, force: true });
    throw error;
  }
}

function withDefaults(hostConfig: HostConfig): HostConfig {
  return {
    ...hostConfig,
    NetworkMode: networkMode(hostConfig.NetworkMode ?? ""),
    RestartPolicy: {
      Name: hostConfig.RestartPolicy?.Name || "no",
      MaximumRetryCount: hostConfig.RestartPolicy?.MaximumRetryCount ?? 0,
    },
    AutoRemove: hostConfig.AutoRemove ?? false,
    Privileged: hostConfig.Privileged ?? false,
    ReadonlyRootfs: hostConfig.ReadonlyRootfs ?? false,
    PortBindings: hostConfig.PortBindings ?? {},
    ShmSize: hostConfig.ShmSize || DEFAULT_SHM,
    LogConfig: { Type: hostConfig.LogConfig?.Type || "json-file", Config: hostConfig.LogConfig?.Config ?? {} },
  };
}

/** The name of whom it shares the network with, for the name's address is theirs; or the short id. */
function defaultHostname(containers: ContainerStore, { NetworkMode }: HostConfig, id: string): string {
  if (NetworkMode === "host") return hostname();
  const joined = joinedContainer(NetworkMode);
  return (joined === undefined ? undefined : containers.lookup(joined)?.config.Hostname) ?? id.slice(0, 12);
}

/** "default" is a client's word for the platform's network. */
function networkMode(mode: string): string {
  return mode === "" || mode === "default" ? "bridge" : mode;
}
