/** From the flags of `run` and `create` to the body of `POST /containers/create`. */
import { InvalidParameterError } from "#errors/errors.ts";
import type { ContainerCreateRequest, HostConfig, RestartPolicy } from "#spec/docker-containers.ts";
import type { HealthConfig } from "#spec/oci-image.ts";
import type { Invocation } from "../grammar/command.ts";
import type { FlagValues } from "../grammar/flag.ts";
import { parseUlimit } from "./checks.ts";
import type { ContainerFlags } from "./container-flag-types.ts";
import { parseDevices } from "./device-flags.ts";
import { keyValueMap, readKeyValueFile } from "./key-value-file.ts";
import { parseTmpfs, parseVolumes } from "./mounts.ts";
import { parseNetworks } from "./networks.ts";
import { parsePorts } from "./ports.ts";
import { readSecurityOptions } from "./security-options.ts";
import { checkUnsupported } from "./unsupported-flags.ts";

type Flags = FlagValues<ContainerFlags>;

/** What of the client's surroundings goes into a request. */
export interface RequestSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
}

/** Builds the request. The first argument is the image, the rest its command. Throws InvalidParameterError in docker's words. */
export async function buildCreateRequest(
  invocation: Invocation<ContainerFlags>,
  surroundings: RequestSurroundings,
): Promise<ContainerCreateRequest> {
  const { flags, given, args } = invocation;
  const [image = "", ...command] = args;
  checkModes(flags);
  checkUnsupported(flags, given, surroundings.environment);
  const ports = parsePorts(flags.publish, flags.expose);
  const volumes = parseVolumes(flags.volume, surroundings.workingDirectory);
  const networks = parseNetworks(flags);
  const healthcheck = healthOf(flags);
  return {
    Image: image,
    ...streamsOf(flags),
    Env: await environmentOf(flags, surroundings.environment),
    Cmd: command.length > 0 ? command : null,
    ...(given.has("entrypoint") ? { Entrypoint: [flags.entrypoint] } : {}),
    Hostname: flags.hostname,
    Domainname: flags.domainname,
    User: flags.user,
    WorkingDir: flags.workdir,
    ExposedPorts: ports.exposed,
    Volumes: volumes.volumes,
    Labels: await labelsOf(flags),
    ...(flags["stop-signal"] ? { StopSignal: flags["stop-signal"] } : {}),
    ...(given.has("stop-timeout") ? { StopTimeout: flags["stop-timeout"] } : {}),
    ...(healthcheck ? { Healthcheck: healthcheck } : {}),
    HostConfig: {
      Binds: volumes.binds,
      Mounts: flags.mount,
      Tmpfs: parseTmpfs(flags.tmpfs),
      PortBindings: ports.bindings,
      PublishAllPorts: flags["publish-all"],
      NetworkMode: networks.mode,
      RestartPolicy: parseRestartPolicy(flags.restart),
      AutoRemove: flags.rm,
      ContainerIDFile: flags.cidfile,
      VolumeDriver: flags["volume-driver"],
      Isolation: flags.isolation,
      ...(flags["storage-opt"].length > 0 ? { StorageOpt: storageOptions(flags["storage-opt"]) } : {}),
      ...(await securityOf(flags)),
      ...hostNames(flags),
      ...limitsOf(flags, given),
      ...(given.has("init") ? { Init: flags.init } : {}),
    },
    NetworkingConfig: { EndpointsConfig: networks.endpoints },
  };
}

function streamsOf(flags: Flags): Partial<ContainerCreateRequest> {
  const all = flags.attach.length === 0;
  const stdin = flags.attach.includes("stdin") || (all && flags.interactive);
  return {
    Tty: flags.tty,
    OpenStdin: flags.interactive,
    AttachStdin: stdin,
    AttachStdout: all || flags.attach.includes("stdout"),
    AttachStderr: all || flags.attach.includes("stderr"),
    // The container's stdin ends with the client that feeds it.
    StdinOnce: flags.interactive && stdin,
  };
}

/** `--env-file` first, then `-e`: later ones win in the engine. A bare name takes the client's value; unset, it unsets the image's. */
async function environmentOf(
  flags: Flags,
  environment: RequestSurroundings["environment"],
): Promise<readonly string[]> {
  const fromFiles = await Promise.all(
    flags["env-file"].map((path) => readKeyValueFile(path, (name) => environment[name])),
  );
  return [...fromFiles.flat(), ...flags.env.map((value) => withClientValue(value, environment))];
}

/** `NAME` as `NAME=value` when the client has it. */
export function withClientValue(value: string, environment: RequestSurroundings["environment"]): string {
  if (value.includes("=")) return value;
  const own = environment[value];
  return own === undefined ? value : `${value}=${own}`;
}

async function labelsOf(flags: Flags): Promise<Readonly<Record<string, string>>> {
  const fromFiles = await Promise.all(flags["label-file"].map((path) => readKeyValueFile(path)));
  return keyValueMap([...fromFiles.flat(), ...flags.label]);
}

async function securityOf(flags: Flags): Promise<Partial<HostConfig>> {
  const { options, unconfinedPaths } = await readSecurityOptions(flags["security-opt"]);
  return {
    CapAdd: flags["cap-add"],
    CapDrop: flags["cap-drop"],
    Privileged: flags.privileged,
    ReadonlyRootfs: flags["read-only"],
    SecurityOpt: options,
    ...(unconfinedPaths ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
    GroupAdd: flags["group-add"],
    PidMode: flags.pid,
    IpcMode: flags.ipc,
    UTSMode: flags.uts,
    UsernsMode: flags.userns,
    CgroupnsMode: flags.cgroupns,
    CgroupParent: flags["cgroup-parent"],
    ...devicesOf(flags),
    Sysctls: keyValueMap(flags.sysctl),
    VolumesFrom: flags["volumes-from"],
    ...(flags.annotation.length > 0 ? { Annotations: keyValueMap(flags.annotation) } : {}),
    ...(flags.runtime ? { Runtime: flags.runtime } : {}),
  };
}

function hostNames(flags: Flags): Partial<HostConfig> {
  if (flags["log-driver"] === "none" && flags["log-opt"].length > 0)
    throw new InvalidParameterError("invalid logging opts for driver none");
  return {
    ExtraHosts: flags["add-host"],
    Dns: flags.dns,
    DnsSearch: flags["dns-search"],
    DnsOptions: [...flags["dns-option"], ...flags["dns-opt"]],
    Links: flags.link,
    LogConfig: { Type: flags["log-driver"], Config: keyValueMap(flags["log-opt"]) },
  };
}

function limitsOf(flags: Flags, given: ReadonlySet<string>): Partial<HostConfig> {
  return {
    Memory: flags.memory,
    MemorySwap: flags["memory-swap"],
    MemoryReservation: flags["memory-reservation"],
    NanoCpus: flags.cpus,
    CpuShares: flags["cpu-shares"],
    CpuPeriod: flags["cpu-period"],
    CpuQuota: flags["cpu-quota"],
    CpusetCpus: flags["cpuset-cpus"],
    CpusetMems: flags["cpuset-mems"],
    OomScoreAdj: flags["oom-score-adj"],
    ...(given.has("oom-kill-disable") ? { OomKillDisable: flags["oom-kill-disable"] } : {}),
    ...(given.has("pids-limit") ? { PidsLimit: flags["pids-limit"] } : {}),
    ShmSize: flags["shm-size"],
    Ulimits: flags.ulimit.map(parseUlimit),
    BlkioWeight: flags["blkio-weight"],
    CpuRealtimePeriod: flags["cpu-rt-period"],
    CpuRealtimeRuntime: flags["cpu-rt-runtime"],
    KernelMemory: flags["kernel-memory"],
    ...(given.has("memory-swappiness") ? { MemorySwappiness: flags["memory-swappiness"] } : {}),
  };
}

function devicesOf(flags: Flags): Partial<HostConfig> {
  const { devices, requests } = parseDevices(flags.device);
  return {
    Devices: devices,
    DeviceRequests: [...flags.gpus, ...requests],
    DeviceCgroupRules: flags["device-cgroup-rule"],
    BlkioWeightDevice: flags["blkio-weight-device"],
    BlkioDeviceReadBps: flags["device-read-bps"],
    BlkioDeviceWriteBps: flags["device-write-bps"],
    BlkioDeviceReadIOps: flags["device-read-iops"],
    BlkioDeviceWriteIOps: flags["device-write-iops"],
  };
}

function storageOptions(values: readonly string[]): Readonly<Record<string, string>> {
  if (values.some((value) => !value.includes("="))) throw new InvalidParameterError("invalid storage option");
  return keyValueMap(values);
}

function checkModes(flags: Flags): void {
  const swappiness = flags["memory-swappiness"];
  if (swappiness < -1 || swappiness > 100)
    throw new InvalidParameterError(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`);
  if (flags.pid !== "" && flags.pid !== "host" && !isContainerMode(flags.pid)) {
    throw new InvalidParameterError("--pid: invalid PID mode");
  }
  if (!["", "host"].includes(flags.uts)) throw new InvalidParameterError("--uts: invalid UTS mode");
  if (!["", "host"].includes(flags.userns)) throw new InvalidParameterError("--userns: invalid USER mode");
  if (!["", "host", "private"].includes(flags.cgroupns)) {
    throw new InvalidParameterError("--cgroupns: invalid CGROUP mode");
  }
  if (flags.rm && !["", "no"].includes(flags.restart)) {
    throw new InvalidParameterError("conflicting options: cannot specify both --restart and --rm");
  }
}

function isContainerMode(mode: string): boolean {
  return /^container:./.test(mode);
}

/** `on-failure:3`. Whether the name is one that exists is for the engine to say. */
export function parseRestartPolicy(text: string): RestartPolicy {
  const [name = "", count] = text.split(":", 2);
  if (count === undefined) return { Name: name as RestartPolicy["Name"], MaximumRetryCount: 0 };
  if (name === "") throw new InvalidParameterError("invalid restart policy format: no policy provided before colon");
  if (!/^\d+$/.test(count)) {
    throw new InvalidParameterError("invalid restart policy format: maximum retry count must be an integer");
  }
  return { Name: name as RestartPolicy["Name"], MaximumRetryCount: Number(count) };
}

const HEALTH_NUMBERS = [
  "health-interval",
  "health-timeout",
  "health-retries",
  "health-start-period",
  "health-start-interval",
] as const;

function healthOf(flags: Flags): HealthConfig | undefined {
  const times = {
    Interval: flags["health-interval"],
    Timeout: flags["health-timeout"],
    StartPeriod: flags["health-start-period"],
    StartInterval: flags["health-start-interval"],
    Retries: flags["health-retries"],
  };
  const hasTimes = Object.values(times).some((value) => value !== 0);
  const command = flags["health-cmd"];
  if (flags["no-healthcheck"]) {
    if (command !== "" || hasTimes)
      throw new InvalidParameterError("--no-healthcheck conflicts with --health-* options");
    return { Test: ["NONE"] };
  }
  for (const name of HEALTH_NUMBERS) {
    if (flags[name] < 0) throw new InvalidParameterError(`--${name} cannot be negative`);
  }
  if (command === "" && !hasTimes) return undefined;
  return { ...(command === "" ? {} : { Test: ["CMD-SHELL", command] }), ...times };
}
