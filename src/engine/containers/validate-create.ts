import { ConflictError, InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import type { ContainerCreateRequest, HostConfig } from "#spec/docker-api.ts";
import { logLimits } from "./log-limits.ts";
import { parseSignal } from "./signals.ts";

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const MIN_MEMORY = 6 * 1024 * 1024;

/** Throws InvalidParameterError with Docker's words unless `name` may name a container. */
export function checkName(name: string): void {
  if (!NAME.test(name)) {
    throw new InvalidParameterError(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  }
}

/** Checks what a request asks before anything is made. Throws in Docker's words. */
export function checkCreateRequest(request: ContainerCreateRequest): void {
  if (!request.Image) throw new InvalidParameterError("config cannot be empty in order to create a container");
  const hostConfig = request.HostConfig ?? {};
  checkEnv(request.Env ?? []);
  if (request.StopSignal) parseSignal(request.StopSignal);
  checkSupported(hostConfig);
  checkNamespaceModes(hostConfig);
  checkLimits(hostConfig);
  checkCpu(hostConfig);
  checkRestartPolicy(hostConfig);
  checkNetworkMode(request, hostConfig);
  if (request.WorkingDir && !request.WorkingDir.startsWith("/")) {
    throw new InvalidParameterError(
      `the working directory '${request.WorkingDir}' is invalid, it needs to be an absolute path`,
    );
  }
  logLimits(hostConfig);
  const logDriver = hostConfig.LogConfig?.Type ?? "";
  if (!["", "json-file", "local", "none"].includes(logDriver)) {
    throw new NotImplementedError(`error looking up logging plugin ${logDriver}: plugin "${logDriver}" not found`);
  }
}

/** Throws InvalidParameterError for a variable without a name. */
export function checkEnv(env: readonly string[]): void {
  for (const variable of env) {
    if (variable === "" || variable.startsWith("="))
      throw new InvalidParameterError(`invalid environment variable: ${variable}`);
  }
}

/** What Docker has and Berth does not honour yet: refused, so that nobody relies on a limit or a wall that is not there. */
function checkSupported(hostConfig: HostConfig): void {
  const asked = {
    CgroupParent: hostConfig.CgroupParent,
    Links: hostConfig.Links?.[0],
    OomKillDisable: hostConfig.OomKillDisable,
    UTSMode: hostConfig.UTSMode,
  };
  for (const [name, value] of Object.entries(asked)) {
    if (value) throw new NotImplementedError(`HostConfig.${name} "${value}" is not supported yet`);
  }
}

function checkNamespaceModes({ PidMode = "", IpcMode = "", UsernsMode = "", CgroupnsMode = "" }: HostConfig): void {
  const isShared = (mode: string): boolean => mode === "" || mode === "host" || mode.startsWith("container:");
  if (!isShared(PidMode)) throw new InvalidParameterError(`invalid PID mode: ${PidMode}`);
  if (!isShared(IpcMode) && !["none", "private", "shareable"].includes(IpcMode))
    throw new InvalidParameterError(`invalid IPC mode: ${IpcMode}`);
  if (!["", "host", "private"].includes(CgroupnsMode))
    throw new InvalidParameterError(`invalid cgroup namespace mode: ${CgroupnsMode}`);
  // User namespaces are never remapped here, so that the host's is what every container has.
  if (UsernsMode !== "" && UsernsMode !== "host")
    throw new InvalidParameterError(`invalid user namespace mode: ${UsernsMode}`);
}

function checkCpu({ NanoCpus = 0, CpuPeriod = 0, CpuQuota = 0 }: HostConfig): void {
  if (NanoCpus < 0) throw new InvalidParameterError("invalid value for CPUs: must not be negative");
  if (NanoCpus > 0 && CpuPeriod > 0)
    throw new InvalidParameterError("Conflicting options: Nano CPUs and CPU Period cannot both be set");
  if (NanoCpus > 0 && CpuQuota > 0)
    throw new InvalidParameterError("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
  if (CpuPeriod !== 0 && (CpuPeriod < 1000 || CpuPeriod > 1_000_000))
    throw new InvalidParameterError(
      "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
    );
  if (CpuQuota > 0 && CpuQuota < 1000)
    throw new InvalidParameterError("CPU cfs quota can not be less than 1ms (i.e. 1000)");
}

function checkLimits(hostConfig: HostConfig): void {
  const memory = hostConfig.Memory ?? 0;
  if (memory !== 0 && memory < MIN_MEMORY) throw new InvalidParameterError("Minimum memory limit allowed is 6MB");
  const swap = hostConfig.MemorySwap ?? 0;
  if (swap > 0 && memory === 0)
    throw new InvalidParameterError("You should always set the Memory limit when using Memoryswap limit, see usage");
  if (swap > 0 && swap < memory)
    throw new InvalidParameterError("Minimum memoryswap limit should be larger than memory limit, see usage");
  if ((hostConfig.ShmSize ?? 0) < 0) throw new InvalidParameterError("SHM size can not be less than 0");
  const oomScore = hostConfig.OomScoreAdj ?? 0;
  if (oomScore < -1000 || oomScore > 1000)
    throw new InvalidParameterError(`Invalid value ${oomScore}, range for oom score adj is [-1000, 1000]`);
}

function checkRestartPolicy(hostConfig: HostConfig): void {
  const policy = hostConfig.RestartPolicy;
  const name = policy?.Name ?? "";
  const retries = policy?.MaximumRetryCount ?? 0;
  if (retries !== 0 && name !== "on-failure") {
    throw new InvalidParameterError("invalid restart policy: maximum retry count can only be used with 'on-failure'");
  }
  if (retries < 0) throw new InvalidParameterError("invalid restart policy: maximum retry count cannot be negative");
  if (hostConfig.AutoRemove && name !== "" && name !== "no") {
    throw new InvalidParameterError("can't create 'AutoRemove' container with restart policy");
  }
}

function checkNetworkMode(request: ContainerCreateRequest, hostConfig: HostConfig): void {
  const mode = hostConfig.NetworkMode ?? "";
  if (mode === "host" || mode.startsWith("container:")) {
    if (mode.startsWith("container:") && request.Hostname) {
      throw new ConflictError("conflicting options: hostname and the network mode");
    }
    if (mode.startsWith("container:") && Object.keys(hostConfig.PortBindings ?? {}).length > 0) {
      throw new ConflictError("conflicting options: port publishing and the container type network mode");
    }
  }
}
