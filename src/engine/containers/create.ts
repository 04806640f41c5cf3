import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { initialEndpoints } from "#engine/networks/endpoint-settings.ts";
import { linksById } from "#engine/networks/legacy-links.ts";
import { joinedContainer } from "#formats/joined-container.ts";
import { attemptAll } from "#lib/attempt-all.ts";
import type { ContainerCreateRequest, HostConfig } from "#spec/docker-containers.ts";
import { type ContainerContext, containerFiles } from "./container-context.ts";
import { type ContainerMount, type ContainerRecord, eventAttributes, NEW_STATE } from "./container-record.ts";
import type { ContainerStore, PendingContainer } from "./container-store.ts";
import { joinsById } from "./joined-containers.ts";
import { removeAnonymousVolumes } from "./remove.ts";
import { discardLimits } from "./request/discard-limits.ts";
import { hostConfigDefaults } from "./request/host-config-defaults.ts";
import { checkPlatform } from "./request/image-platform.ts";
import { type LogDefaults, mergeLogConfig } from "./request/log-config.ts";
import { mergeConfig } from "./request/merge-config.ts";
import { resolveMounts } from "./request/mounts.ts";
import { portRequests } from "./request/port-requests.ts";
import { randomName } from "./request/random-name.ts";
import { checkCreateRequest, checkName } from "./request/validate-create.ts";
import { fillVolumes } from "./run/use-mounts.ts";

export interface CreateOptions {
  /** Without Docker's leading slash; "" for a random one. */
  readonly name: string;
  /** `os/architecture[/variant]` that the image must have; "" for any. */
  readonly platform: string;
  /** What is mounted below read-only binds stays writable, as before API 1.44. */
  readonly onlyTopReadonly?: boolean;
}

export interface CreatedContainer {
  readonly record: ContainerRecord;
  /** What the client should tell its user, in Docker's words. */
  readonly warnings: readonly string[];
}

/**
 * Makes a container: checks the request, joins it with the image's defaults, makes its volumes and its writable directory, and writes it
 * down. Nothing runs yet. On failure nothing stays, except named volumes that the user asked for by name.
 */
export async function createContainer(
  context: ContainerContext,
  given: ContainerCreateRequest,
  options: CreateOptions,
): Promise<CreatedContainer> {
  using pending = context.containers.begin(randomBytes(32).toString("hex"));
  try {
    return await makeContainer(context, given, options, pending);
  } catch (error) {
    // Images that were removed meanwhile were kept for it.
    pending[Symbol.dispose]();
    await attemptAll([...pending.images].map((image) => () => context.images.release(image)));
    throw error;
  }
}

async function makeContainer(
  context: ContainerContext,
  given: ContainerCreateRequest,
  options: CreateOptions,
  pending: PendingContainer,
): Promise<CreatedContainer> {
  const request = withLogDefaults(given, context.settings.logs);
  if (options.name !== "") checkName(options.name);
  checkCreateRequest(request);
  const { catalog } = context.runtime;
  catalog.command(request.HostConfig?.Runtime ?? "");
  const settled = discardLimits(request.HostConfig ?? {}, context.features);
  const image = context.images.find(request.Image ?? "", options.platform);
  const warnings = [...settled.warnings, ...checkPlatform(image, request.Image ?? "", options.platform)];
  const { id } = pending;
  pending.needsImage(image.id);
  const defaulted = hostConfigDefaults(request, settled.hostConfig, {
    ...context.settings,
    runtime: catalog.defaultName,
  });
  const hostConfig = linksById(context, joinsById(context.containers, defaulted));
  const ownName = defaultHostname(context.containers, hostConfig, id);
  const config = mergeConfig(withoutMissingBridge(context, request, hostConfig), image.config.config ?? {}, ownName);
  portRequests(config, hostConfig);
  const requested = request.NetworkingConfig?.EndpointsConfig ?? {};
  const endpointRequests = initialEndpoints(context.networks, hostConfig, requested, request.MacAddress ?? "");
  const name = options.name || randomName((candidate) => context.containers.hasName(candidate));
  pending.takeName(name);
  // `run` starts it next.
  context.runtime.anticipate();
  // The first step that makes something: all that can be refused has been.
  const resolved = await resolveMounts(context, config, hostConfig, pending);
  const mounts = options.onlyTopReadonly ? resolved.map(readonlyAtTop) : resolved;
  const record: ContainerRecord = {
    id,
    name,
    created: Date.now(),
    imageId: image.id,
    imageName: request.Image ?? "",
    config,
    hostConfig,
    endpointRequests,
    mounts,
    state: NEW_STATE,
  };
  await makeDurable(context, record);
  context.events.publish("container", "create", id, eventAttributes(record));
  return { record, warnings: [...warnings, ...networkWarnings(hostConfig)] };
}

function readonlyAtTop(mount: ContainerMount): ContainerMount {
  return mount.type === "bind" && mount.readonly ? { ...mount, readonlyTop: true } : mount;
}

function withLogDefaults(request: ContainerCreateRequest, defaults: LogDefaults): ContainerCreateRequest {
  const LogConfig = mergeLogConfig(request.HostConfig?.LogConfig, defaults);
  return { ...request, HostConfig: { ...request.HostConfig, LogConfig } };
}

/** On an engine without a default bridge its containers have their loopback alone, as dockerd has it. */
function withoutMissingBridge(
  { networks }: ContainerContext,
  request: ContainerCreateRequest,
  { NetworkMode }: HostConfig,
): ContainerCreateRequest {
  return NetworkMode === "bridge" && !networks.defaultBridge() ? { ...request, NetworkDisabled: true } : request;
}

/** The row comes last, so that a crash before it leaves only directories that start-up sweeps. */
async function makeDurable(context: ContainerContext, record: ContainerRecord): Promise<void> {
  const files = containerFiles(context, record.id);
  try {
    await mkdir(files.directory, { mode: 0o700 });
    await context.snapshotter.prepare(record.id, context.images.layers(record.imageId), {
      volatile: record.hostConfig.AutoRemove ?? false,
    });
    await fillVolumes(context, record);
    const volumes = record.mounts.filter(({ anonymous }) => anonymous).map(({ name }) => name);
    context.containers.add(record, () => context.volumes.settle(volumes));
  } catch (error) {
    // What cannot be taken back here is swept when the engine starts.
    await attemptAll([
      () => context.snapshotter.remove(record.id),
      () => rm(files.directory, { recursive: true, force: true }),
      () => removeAnonymousVolumes(context, record.mounts, record.id),
    ]);
    throw error;
  }
}

/** The name of whom it shares the network with, for the name's address is theirs; or the short id. */
function defaultHostname(containers: ContainerStore, { NetworkMode }: HostConfig, id: string): string {
  if (NetworkMode === "host") return hostname();
  const joined = joinedContainer(NetworkMode);
  return (joined === undefined ? undefined : containers.lookup(joined)?.config.Hostname) ?? id.slice(0, 12);
}

function networkWarnings({ NetworkMode, PortBindings }: HostConfig): string[] {
  const discarded = NetworkMode === "host" && Object.keys(PortBindings ?? {}).length > 0;
  return discarded ? ["Published ports are discarded when using host network mode"] : [];
}
