import { writeFileSync } from "node:fs";
import { type ContainerNetwork, closeNetwork, holdNetworks, openNetwork } from "#engine/networks/container-network.ts";
import { linkEnvironment } from "#engine/networks/link-environment.ts";
import { BerthError, ConflictError, errorMessage, NotModifiedError } from "#errors/errors.ts";
import { attemptAll } from "#lib/attempt-all.ts";
import type { NetworkSandbox } from "#network/network-driver.ts";
import type { ContainerSpec } from "#runtime/container-runtime.ts";
import { StartError } from "#runtime/start-error.ts";
import { markContainerRoot } from "#snapshot/container-marks.ts";
import { type ContainerContext, containerFiles } from "./container-context.ts";
import { type ContainerRecord, eventAttributes, isRunning } from "./container-record.ts";
import { removeLocked } from "./remove.ts";
import { etcFiles } from "./run/etc-files.ts";
import { watchLog } from "./run/log-limits.ts";
import { requestedDevices } from "./run/requested-devices.ts";
import { runtimeSpec } from "./run/runtime-spec.ts";
import { releaseVolumes, type UsedMounts, useMounts } from "./run/use-mounts.ts";
import { writeResolvConf } from "./run/written-resolv-conf.ts";
import { noteStarting } from "./starting.ts";
import { startingHealth } from "./supervise/health.ts";

/**
 * Starts a container that is not running: root mounted, namespace connected, /etc files written, process created and started.
 * Whatever fails is undone and kept as the container's error. Throws NotModifiedError when it runs already, ConflictError in states
 * that forbid it, StartError (126/127) when its command cannot run.
 */
export function startContainer(context: ContainerContext, id: string): Promise<void> {
  return context.locks.run(id, () => {
    // Between two runs a container counts as running: its policy starts it.
    if (context.containers.get(id).state.phase === "restarting") throw new NotModifiedError("");
    return startLocked(context, id, { stoppedByUser: false, restartCount: 0 });
  });
}

/** For the supervisor, which holds the lock already and counts restarts. */
export async function startLocked(
  context: ContainerContext,
  id: string,
  state: { readonly stoppedByUser: boolean; readonly restartCount: number },
): Promise<void> {
  using _starting = await noteStarting(context, id);
  const record = context.containers.get(id);
  checkStartable(record);
  context.runtime.anticipate();
  using _held = holdNetworks(context, record);
  let network: ContainerNetwork | undefined;
  try {
    const opening = openNetwork(context, record).then((opened) => {
      network = opened;
      return opened;
    });
    const [opened, rootfs] = await allDone([opening, context.snapshotter.mount(id)]);
    markContainerRoot(rootfs);
    const pid = await createProcess(context, record, opened, rootfs);
    // The state is written before the process runs: a crash in between leaves a container that adoption finds waiting.
    context.containers.update(id, (current) => ({
      ...current,
      ...(opened.sandbox ? { sandbox: opened.sandbox } : {}),
      state: {
        ...current.state,
        ...state,
        phase: "running",
        pid,
        startedAt: Date.now(),
        exitCode: 0,
        error: "",
        oomKilled: false,
        health: startingHealth(current.config, current.state.health),
      },
    }));
    watchLog(context, record);
    await context.runtime.start(id);
  } catch (error) {
    await undoStart(context, record, network, error);
    if (record.hostConfig.AutoRemove) await removeLocked(context, id, { force: true, volumes: true });
    throw error;
  }
  context.events.publish("container", "start", id, eventAttributes(record));
}

function checkStartable(record: ContainerRecord): void {
  if (record.state.phase === "paused") throw new ConflictError("cannot start a paused container, try unpause instead");
  if (isRunning(record)) throw new NotModifiedError("");
  if (record.state.phase === "removing" || record.state.phase === "dead") {
    throw new ConflictError("container is marked for removal and cannot be started");
  }
}

/** Has the runtime create the container, mounts ready, and returns its process's pid. */
async function createProcess(
  context: ContainerContext,
  record: ContainerRecord,
  network: ContainerNetwork,
  rootfs: string,
): Promise<number> {
  await using mounts = await useMounts(context, record, { user: record.id, starts: true });
  const spec = await prepareSpec(context, record, network, rootfs, mounts);
  return (await context.runtime.create(spec)).pid;
}

async function prepareSpec(
  context: ContainerContext,
  record: ContainerRecord,
  network: ContainerNetwork,
  rootfs: string,
  { sources }: UsedMounts,
): Promise<ContainerSpec> {
  if (network.filesOf === record.id) await writeEtcFiles(context, record, network.sandbox);
  return runtimeSpec(record, {
    settings: context.settings,
    sources,
    rootfs,
    network: network.spec,
    links: linkEnvironment(context.containers, record),
    files: containerFiles(context, record.id),
    etc: containerFiles(context, network.filesOf),
    cdiDevices: requestedDevices(record.hostConfig.DeviceRequests ?? [], context.devices),
  });
}

/** Both results; a failure is thrown only when both have come to their end, so that undoing does not race with doing. */
async function allDone<A, B>(work: readonly [Promise<A>, Promise<B>]): Promise<[A, B]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

async function writeEtcFiles(
  context: ContainerContext,
  record: ContainerRecord,
  sandbox: NetworkSandbox | undefined,
): Promise<void> {
  const files = containerFiles(context, record.id);
  const contents = await etcFiles(context, record, sandbox);
  // At once: for files this small the way to another thread and back takes ten times as long as the writing.
  writeFileSync(files.hosts, contents.hosts, { mode: 0o644 });
  writeFileSync(files.hostname, contents.hostname, { mode: 0o644 });
  writeResolvConf(files, contents.resolvConf);
}

/** Takes back what a start has made, and keeps its failure as the container's error. What could not be taken back is told with it. */
async function undoStart(
  context: ContainerContext,
  record: ContainerRecord,
  network: ContainerNetwork | undefined,
  error: unknown,
): Promise<void> {
  context.logRotator.unwatch(record.id);
  const left = await attemptAll([
    () => context.runtime.remove(record.id),
    () => network && closeNetwork(context, record, network.sandbox),
    () => releaseVolumes(context, record),
    () => context.snapshotter.unmount(record.id),
  ]);
  if (error instanceof BerthError) for (const one of left) error.message += `; then: ${errorMessage(one)}`;
  if (!context.containers.find(record.id)) return;
  const exitCode = error instanceof StartError ? error.exitCode : 128;
  context.containers.record(record.id, ({ sandbox: _, ...current }) => ({
    ...current,
    state: {
      ...current.state,
      phase: record.state.phase === "created" ? "created" : "exited",
      pid: 0,
      exitCode,
      error: errorMessage(error),
      startedAt: record.state.startedAt,
    },
  }));
}
