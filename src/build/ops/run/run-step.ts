import { randomBytes } from "node:crypto";
import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BerthError, CancelledError, UnavailableError } from "#errors/errors.ts";
import { formatPlatform, hostPlatform, platformRuns } from "#formats/platform.ts";
import { timelessly } from "#formats/tar/timeless-digest.ts";
import { DEFAULT_SHM_SIZE } from "#runtime/bundle/mounts.ts";
import type { ContainerSpec } from "#runtime/container-runtime.ts";
import { StartError } from "#runtime/start-error.ts";
import type { Digest } from "#spec/digest.ts";
import type { Platform } from "#spec/oci-image.ts";
import type { Layer } from "#store/layer-store.ts";
import { LocatedError } from "../../build-error.ts";
import type { BuildNetwork, StepLimits } from "../../builder.ts";
import { goQuote } from "../../graph/go-format.ts";
import type { RunStep } from "../../graph/graph-types.ts";
import type { MadeLayer, OpOptions, OpTools } from "../op-context.ts";
import { watchMountStubs } from "./mount-stubs.ts";
import { type MountedFiles, openRunMounts, type RunMounts } from "./run-mounts.ts";

/** What BuildKit calls the host that RUN sees; scripts and build logs carry it. */
const HOSTNAME = "buildkitsandbox";
/** Far beyond any compiler's needs, far below what a fork bomb needs to take the machine. */
const PIDS_LIMIT = 16_384;

export interface RunInput {
  readonly step: RunStep;
  /** What the commands are made for. */
  readonly platform: Platform;
  /** Layers below, bottom first. */
  readonly below: readonly Layer[];
  /** What the mounts with files of elsewhere show. */
  readonly sources: readonly MountedFiles[];
}

/**
 * Carries out RUN: a container on the layers so far, whose changes become the layer. When it returns or throws, the container,
 * its mounts, network and writable directory are gone. Throws LocatedError with the exit code in BuildKit's words when the
 * command fails, CancelledError on abort.
 */
export async function runLayer(input: RunInput, tools: OpTools, options: OpOptions): Promise<MadeLayer> {
  const { snapshotter } = tools;
  const { step, below } = input;
  checkPlatform(input.platform, tools);
  const id = randomBytes(32).toString("hex");
  // Gone when the step is: only its layer must survive a power cut.
  await snapshotter.prepare(id, below, { volatile: true });
  try {
    const { exitCode, mounts } = await runOn(await snapshotter.mount(id), id, input, tools, options);
    if (options.signal.aborted) throw new CancelledError("context canceled");
    await snapshotter.unmount(id);
    if (!(step.own?.exitCodes ?? [0]).includes(exitCode)) {
      await keepFailedRoot(id, input, mounts, tools, options);
      throw commandFailed(step, exitCode);
    }
    return await ingestChanges(snapshotter.diff(id, options.signal), tools, options);
  } finally {
    await snapshotter.unmount(id);
    await snapshotter.remove(id);
  }
}

/** What the failed command left, for whoever wants to look: `build debug`. That it cannot be kept is not what the build failed of. */
async function keepFailedRoot(
  id: string,
  { step, below }: RunInput,
  { binds, tmpfs }: RunMounts,
  tools: OpTools,
  { signal, onFailedRoot }: OpOptions,
): Promise<void> {
  if (!onFailedRoot) return;
  try {
    const changes = await tools.layers.ingest(tools.snapshotter.diff(id, signal), { signal });
    const kept = binds.filter(({ source }) => tools.cacheMounts.holds(source));
    const gone = binds.filter((bind) => !kept.includes(bind)).map(({ destination }) => destination);
    const { args, env, proxyEnv, cwd, user, grantedDevices: devices } = step;
    onFailedRoot({
      layers: [...below, changes].map(({ diffId }) => diffId),
      args,
      env: [...proxyEnv, ...env],
      cwd,
      user,
      binds: kept.map(({ source, destination, readonly }) => ({ source, destination, readonly })),
      tmpfs,
      devices,
      gone,
    });
  } catch {
    // Most likely the disk is full, which may be why the command failed.
  }
}

/** Without an emulator the kernel would only say "exec format error". */
function checkPlatform(platform: Platform, { hasEmulator }: OpTools): void {
  const host = hostPlatform();
  const { architecture, os } = platform;
  const isNative = os === host.os && platformRuns(host, platform);
  if (isNative || (os === "linux" && (architecture === host.architecture || hasEmulator(architecture)))) return;
  throw new UnavailableError(
    `cannot run commands for ${formatPlatform(platform)} on this machine (${formatPlatform(host)}): no emulator is registered; install one (Debian: qemu-user-static), or build this platform on such a machine`,
  );
}

/** The changes as a layer, with what they are but for the moment in which they were made. */
async function ingestChanges(
  changes: AsyncIterable<Uint8Array>,
  tools: OpTools,
  { signal }: OpOptions,
): Promise<MadeLayer> {
  let contentId: Digest | undefined;
  const source = timelessly(changes, (digest) => {
    contentId = digest;
  });
  const layer = await tools.layers.ingest(source, { signal });
  return contentId === undefined ? { layer } : { layer, contentId };
}

interface RanCommand {
  readonly exitCode: number;
  readonly mounts: RunMounts;
}

async function runOn(
  rootfs: string,
  id: string,
  input: RunInput,
  tools: OpTools,
  options: OpOptions,
): Promise<RanCommand> {
  const { step, sources } = input;
  const extraHosts = [...options.extraHosts, ...(step.own?.extraHosts ?? [])];
  const names = { hostname: step.hostname ?? HOSTNAME, extraHosts };
  await using network = await tools.host.openNetwork(id, step.network, names);
  await using script = await writeScript(step, id, tools.scratchDirectory);
  for (const device of step.missingDevices) {
    options.onOutput(2, Buffer.from(`device ${device} is not here: the step runs without it\n`));
  }
  await using mounts = await openRunMounts(step, sources, id, tools, options);
  const removeStubs = watchMountStubs(rootfs, [
    ...step.mounts.map(({ target }) => target),
    ...tools.devices.mountTargets(step.grantedDevices),
  ]);
  try {
    const spec = {
      ...specOf(step, id, rootfs, network, mounts, script.path),
      ...limitsOf(options.limits),
      ...(step.own?.ulimits ? { ulimits: step.own.ulimits } : {}),
      ...(step.own?.cgroupParent ? { cgroupParent: step.own.cgroupParent } : {}),
    };
    const output = {
      stdout: (bytes: Uint8Array): void => options.onOutput(1, bytes),
      stderr: (bytes: Uint8Array): void => options.onOutput(2, bytes),
    };
    return { exitCode: await tools.runtime.runOnce(spec, output, options.signal), mounts };
  } catch (error) {
    throw error instanceof BerthError && error.code !== "cancelled" ? cannotStart(step, error) : error;
  } finally {
    removeStubs();
  }
}

function specOf(
  step: RunStep,
  id: string,
  rootfs: string,
  network: BuildNetwork,
  mounts: RunMounts,
  scriptPath: string | undefined,
): ContainerSpec {
  const files = [
    { source: network.hostsPath, destination: "/etc/hosts", readonly: true },
    { source: network.resolvConfPath, destination: "/etc/resolv.conf", readonly: true },
  ];
  const script =
    step.script && scriptPath ? [{ source: scriptPath, destination: step.script.path, readonly: true }] : [];
  return {
    id,
    rootfs,
    args: step.args,
    env: [...step.proxyEnv, ...mounts.env, ...step.env],
    secretEnv: mounts.secretEnv,
    cwd: step.cwd,
    user: step.user,
    hostname: step.hostname ?? HOSTNAME,
    terminal: false,
    openStdin: false,
    stdinOnce: false,
    logPath: "",
    network: network.network,
    mounts: [...files, ...script, ...mounts.binds],
    tmpfs: mounts.tmpfs,
    readonlyRootfs: false,
    init: false,
    cdiDevices: step.grantedDevices,
    privileged: step.security === "insecure",
    capAdd: [],
    capDrop: [],
    securityOpt: [],
    resources: { pidsLimit: PIDS_LIMIT },
    shmSize: DEFAULT_SHM_SIZE,
  };
}

function limitsOf(limits: StepLimits | undefined): Partial<ContainerSpec> {
  if (!limits) return {};
  const { resources, shmSize = DEFAULT_SHM_SIZE, ulimits, cgroupParent } = limits;
  return {
    resources: { ...resources, pidsLimit: PIDS_LIMIT },
    shmSize,
    ulimits,
    ...(cgroupParent === "" ? {} : { cgroupParent }),
  };
}

/** A heredoc that begins with `#!`, as a file that can be executed. */
async function writeScript(
  step: RunStep,
  id: string,
  directory: string,
): Promise<AsyncDisposable & { readonly path: string | undefined }> {
  if (!step.script) return { path: undefined, [Symbol.asyncDispose]: async () => undefined };
  const path = join(directory, `script-${id}`);
  await writeFile(path, step.script.content, { flag: "wx" });
  // The umask must not decide whether the step's user can run it.
  await chmod(path, 0o755);
  return { path, [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

function cannotStart(step: RunStep, error: BerthError): LocatedError {
  const message = `process ${goQuote(step.args.join(" "))} did not complete successfully: ${error.message}`;
  return new LocatedError(message, error.code, error instanceof StartError ? { exitCode: error.exitCode } : {}, error);
}

function commandFailed(step: RunStep, exitCode: number): LocatedError {
  const message = `process ${goQuote(step.args.join(" "))} did not complete successfully: exit code: ${exitCode}`;
  return new LocatedError(message, "system", { exitCode });
}
