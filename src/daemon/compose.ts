import { createHash } from "node:crypto";
import { statfsSync } from "node:fs";
import { join } from "node:path";
import { ContextStore } from "#build/context/context-store.ts";
import { DockerfileBuilder } from "#build/dockerfile-builder.ts";
import { BuildHistory, DEFAULT_HISTORY_LIMITS } from "#engine/builds/build-history.ts";
import { EngineBuildHost } from "#engine/builds/build-host.ts";
import { BuildService } from "#engine/builds/build-service.ts";
import { CacheMountService } from "#engine/builds/cache-mount-service.ts";
import { EngineSharedCaches } from "#engine/builds/shared-caches.ts";
import type { ContainerContext } from "#engine/containers/container-context.ts";
import { ContainerStore } from "#engine/containers/container-store.ts";
import { ExecService } from "#engine/containers/exec.ts";
import { ExitWaiters } from "#engine/containers/exit-waiters.ts";
import { ContainerImageUsers } from "#engine/containers/image-users.ts";
import { StatsService } from "#engine/containers/stats.ts";
import { HealthMonitor } from "#engine/containers/supervise/health-monitor.ts";
import { Supervisor } from "#engine/containers/supervise/supervisor.ts";
import type { Engine } from "#engine/engine.ts";
import { EventBus } from "#engine/events.ts";
import { collectGarbage, removeHiddenImages } from "#engine/images/collect.ts";
import { createImage } from "#engine/images/create.ts";
import type { ImageContext, ImageUsers } from "#engine/images/image-context.ts";
import { LocalImages } from "#engine/images/lookup.ts";
import { ProgressReplay } from "#engine/images/progress.ts";
import { settleDefaultBridge } from "#engine/networks/default-bridge.ts";
import { NetworkRegistry } from "#engine/networks/network-registry.ts";
import { BERTH_VERSION } from "#engine/version.ts";
import { errorMessage, SystemError } from "#errors/errors.ts";
import { Subpaths } from "#files/subpath.ts";
import { KeyLock } from "#lib/key-lock.ts";
import { SharedWork } from "#lib/shared-work.ts";
import { LinuxNetworkDriver } from "#network/linux-network-driver.ts";
import { NamePublisher } from "#network/names/name-publisher.ts";
import { ServiceClient } from "#network/names/service-client.ts";
import { PortRelay } from "#network/relay/port-relay.ts";
import { DEFAULT_RETRY, RegistryClient } from "#registry/registry-client.ts";
import { DeviceCatalog } from "#runtime/cdi/device-catalog.ts";
import { readCgroupFeatures } from "#runtime/cgroup/features.ts";
import { ConmonRuntime, type ConmonRuntimeOptions } from "#runtime/conmon-runtime.ts";
import { LogRotator } from "#runtime/logs/rotation.ts";
import { RuntimeCatalog } from "#runtime/oci/catalog.ts";
import { OverlaySnapshotter } from "#snapshot/overlay-snapshotter.ts";
import { BlobStore } from "#store/blob-store.ts";
import { BuildCacheStore } from "#store/build-cache.ts";
import { BuildFiles } from "#store/build-files.ts";
import { BuildRecordStore } from "#store/build-records.ts";
import { CacheMountStore } from "#store/cache-mount-store.ts";
import { Database } from "#store/database.ts";
import { ImageIndexStore } from "#store/image-index-store.ts";
import { ImageStore } from "#store/image-store.ts";
import { LayerFileStore } from "#store/layer-file-store.ts";
import { inflate } from "#sys/compression/inflate.ts";
import { layerMountProblem } from "#sys/mounts/layer-mount-probe.ts";
import { bootId } from "#sys/process-info.ts";
import { LocalVolumeStore } from "#volume/local-volumes.ts";
import { buildTools } from "./build-tools.ts";
import { hostInformation } from "./host-information.ts";
import type { LiveOptions } from "./live-options.ts";
import type { Logger } from "./logger.ts";
import { allowedEntitlements, cachePolicy } from "./options/builder-options.ts";
import type { DaemonOptions } from "./options/daemon-options.ts";
import type { EnginePaths } from "./paths.ts";
import { checkRequirements, findConmon } from "./required-programs.ts";
import { endSurvivors } from "./stop-containers.ts";
import { sweep } from "./sweep.ts";
import { volumeRecords } from "./volume-records.ts";

/** An engine and the way to end it. */
export interface RunningEngine {
  readonly engine: Engine;
  /** Removes what interrupted work left and nobody came back for. It can wait until the engine answers. */
  tidy(): Promise<void>;
  /** Looks for what new options name. */
  reloaded(): Promise<void>;
  /** Containers keep running; mounts that nobody needs go. */
  close(): Promise<void>;
}

/** Builds the engine's services in the order of their needs, sweeps what a crash left, and adopts what runs. The data root is locked. */
export async function composeEngine(live: LiveOptions, paths: EnginePaths, log: Logger): Promise<RunningEngine> {
  const options = live.current;
  checkRequirements();
  const catalog = new RuntimeCatalog(() => live.current.runtimes);
  const [conmon] = await Promise.all([findConmon(), settleRuntime(catalog, log), checkKernel(paths)]);
  const database = new Database(paths.database);
  const base: Foundation = { live, options, paths, database, log, events: new EventBus(), locks: new KeyLock() };
  const containerStore = new ContainerStore(database);
  const layers = new LayerFileStore({ directory: paths.layers, database });
  const images = composeImages(base, layers, new ContainerImageUsers(containerStore));
  const devices = new DeviceCatalog(options.cdiSpecDirectories);
  const runtime = composeRuntime(base, { catalog, conmon: conmon.path, devices });
  const volumes = new LocalVolumeStore({ directory: paths.volumes, rows: volumeRecords(database) });
  const containers = composeContainers(base, { containerStore, images, runtime, volumes, devices });
  await Promise.all([layers.sweep(), volumes.sweep(), containers.subpaths.sweep()]);
  await sweep({ containers }, paths);
  const builds = composeBuilds(base, { images, layers, containers, devices });
  const supervisor = new Supervisor(containers, (message) => log.warn(message));
  const execs = new ExecService(containers);
  const health = new HealthMonitor(containers, execs);
  await settleBridge(base, containers);
  await supervisor.adoptAll();
  if (!live.current.liveRestore) await endSurvivors({ containers, supervisor }, log);
  await volumes.releaseUnused();
  health.resume();
  return {
    engine: {
      containers,
      supervisor,
      execs,
      stats: new StatsService(containers),
      images,
      builds,
      events: base.events,
      information: hostInformation(live, catalog, conmon.version),
    },
    reloaded: () => settleRuntime(catalog, log),
    tidy: async () => {
      builds.history.sweep();
      await images.blobs.sweepTemporaries();
      await collectGarbage(images);
    },
    close: async () => {
      supervisor.close();
      health.close();
      await builds.close();
      containers.logRotator.close();
      containers.networkDriver.release();
      containers.names.close();
      await runtime.close();
      await containers.snapshotter.releaseIdle();
      await layers.settled();
      database[Symbol.dispose]();
    },
  };
}

/** What all services stand on. */
interface Foundation {
  readonly live: LiveOptions;
  readonly options: DaemonOptions;
  readonly paths: EnginePaths;
  readonly database: Database;
  readonly log: Logger;
  readonly events: EventBus;
  readonly locks: KeyLock;
}

/** Asks the default runtime what it is. One that is not there keeps nobody from the containers that have another. */
async function settleRuntime(catalog: RuntimeCatalog, log: Logger): Promise<void> {
  try {
    await catalog.find("");
  } catch (error) {
    log.warn(`default runtime ${catalog.defaultName}: ${errorMessage(error)}`);
  }
}

/** Refuses a kernel that cannot mount layer files. */
async function checkKernel(paths: EnginePaths): Promise<void> {
  const problem = await layerMountProblem(paths.temporary);
  if (problem) throw new SystemError(problem);
}

function composeImages(base: Foundation, layers: LayerFileStore, users: ImageUsers): ImageContext {
  const { live, paths, database, events, locks } = base;
  return {
    database,
    images: new ImageStore(database),
    indexes: new ImageIndexStore(database),
    blobs: new BlobStore(paths.blobs),
    layers,
    locks,
    events,
    users,
    registry: new RegistryClient({
      get mirrors() {
        return live.current.registryMirrors;
      },
      get insecureRegistries() {
        return live.current.insecureRegistries;
      },
      get retryPolicy() {
        return { ...DEFAULT_RETRY, attempts: live.current.maxDownloadAttempts };
      },
      certificateDirectories: ["/etc/berth/certs.d", "/etc/docker/certs.d"],
      userAgent: `berth/${BERTH_VERSION}`,
    }),
    inflate,
    pulls: new SharedWork(() => new ProgressReplay()),
    get maxConcurrentDownloads() {
      return live.current.maxConcurrentDownloads;
    },
    get maxConcurrentUploads() {
      return live.current.maxConcurrentUploads;
    },
  };
}

function composeRuntime(
  { options, paths }: Foundation,
  parts: Pick<ConmonRuntimeOptions, "catalog" | "conmon" | "devices">,
): ConmonRuntime {
  return new ConmonRuntime({
    stateDirectory: paths.runtimeState,
    bundleDirectory: paths.bundles,
    exitDirectory: paths.exits,
    ...parts,
    cgroupParent: `/berth-${engineName(options)}`,
  });
}

interface ContainerParts {
  readonly containerStore: ContainerStore;
  readonly images: ImageContext;
  readonly runtime: ConmonRuntime;
  readonly volumes: LocalVolumeStore;
  readonly devices: DeviceCatalog;
}

function composeContainers(
  { live, options, paths, database, events, locks, log }: Foundation,
  { containerStore, images, runtime, volumes, devices }: ContainerParts,
): ContainerContext {
  const name = engineName(options);
  const service = new ServiceClient({
    directory: paths.names,
    command: [process.execPath, "name-service"],
    onTrouble: (message) => log.warn(message),
  });
  const networkDriver = new LinuxNetworkDriver({
    engineName: name,
    netnsDirectory: paths.namespaces,
    relay: new PortRelay(service),
    relays: options.network.relay,
    firewall: options.network.firewall,
    forward: options.network.forward,
    pools: options.network.pools,
    spread: !isDefaultEngine(options),
  });
  return {
    containers: containerStore,
    images: imageLookup(images),
    snapshotter: new OverlaySnapshotter({ stateDirectory: paths.snapshots, mountDirectory: paths.mounts }),
    runtime,
    features: readCgroupFeatures(),
    devices,
    get settings() {
      return live.current.containers;
    },
    logRotator: new LogRotator((id) => runtime.reopenLog(id)),
    networks: new NetworkRegistry({ database, driver: networkDriver }),
    networkDriver,
    networkDefaults: options.network.defaultOptions,
    names: new NamePublisher(service),
    volumes,
    subpaths: new Subpaths(join(paths.mounts, "s")),
    events,
    waiters: new ExitWaiters(),
    locks,
    directories: { dataRoot: options.dataRoot, mounts: paths.mounts },
    directory: paths.containers,
  };
}

/** The default network as flags and daemon.json want it now. */
async function settleBridge(
  { options, log }: Foundation,
  { networks, networkDriver }: ContainerContext,
): Promise<void> {
  const parts = { registry: networks, driver: networkDriver, bridgeName: `berth-${engineName(options)}` };
  const problem = await settleDefaultBridge(parts, options.network.bridge);
  if (problem) log.warn(problem);
}

function imageLookup(images: ImageContext): ContainerContext["images"] {
  const local = new LocalImages(images);
  return {
    find: (name, platform) => local.find(name, platform),
    layers: (id) => local.layers(id),
    release: async (id) => (images.images.find(id)?.hidden ? (await removeHiddenImages(images)).freedBytes : 0),
  };
}

interface BuildParts {
  readonly images: ImageContext;
  readonly layers: LayerFileStore;
  readonly containers: ContainerContext;
  readonly devices: DeviceCatalog;
}

function composeBuilds(
  { options, paths, database, log }: Foundation,
  { images, layers, containers, devices }: BuildParts,
): BuildService {
  const { snapshotter, runtime } = containers;
  const cache = new BuildCacheStore(database);
  const tools = buildTools(paths, database);
  const host = new EngineBuildHost({ images, network: containers, directory: paths.buildFiles });
  const plain = (source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> => inflate(source);
  return new BuildService({
    contexts: new ContextStore({ directory: paths.contexts, boot: bootId() }),
    cache,
    history: new BuildHistory({
      rows: new BuildRecordStore(database),
      files: new BuildFiles(paths.builds),
      limits: DEFAULT_HISTORY_LIMITS,
      warn: (message) => log.warn(message),
    }),
    builder: new DockerfileBuilder({
      snapshotter,
      runtime,
      layers,
      cache,
      host,
      devices,
      sharedCaches: new EngineSharedCaches(images),
      ...tools,
    }),
    cacheMounts: new CacheMountService(tools.cacheMounts, new CacheMountStore(database)),
    layers,
    inflate: plain,
    createImage: (config) => createImage(images, config, []),
    freeSpace: () => diskSpace(paths.dataRoot).free,
    entitlements: allowedEntitlements(options.builder),
    policy: cachePolicy(options.builder, diskSpace(paths.dataRoot).size),
    warn: (message) => log.warn(message),
    temporaryDirectory: paths.temporary,
  });
}

/** Of the disk that has this directory, bytes. */
function diskSpace(directory: string): { readonly size: number; readonly free: number } {
  const { blocks, bavail, bsize } = statfsSync(directory);
  return { size: blocks * bsize, free: bavail * bsize };
}

/** Names this engine's nft table, bridge and veth pairs: the default engine's are fixed, others' follow from the data root. */
function engineName(options: DaemonOptions): string {
  return isDefaultEngine(options) ? "main" : createHash("sha256").update(options.dataRoot).digest("hex").slice(0, 8);
}

function isDefaultEngine(options: DaemonOptions): boolean {
  return options.dataRoot === "/var/lib/berth";
}
