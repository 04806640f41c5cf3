import { ConflictError, InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import type { ContainerCreateRequest, HostConfig } from "#spec/docker-api.ts";
import { logLimits } from "./log-limits.ts";

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
  checkLimits(hostConfig);
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

function checkLimits(hostConfig: HostConfig): void {
  const memory = hostConfig.Memory ?? 0;
  if (memory !== 0 && memory < MIN_MEMORY) throw new InvalidParameterError("Minimum memory limit allowed is 6MB");
  const swap = hostConfig.MemorySwap ?? 0;
  if (swap > 0 && memory === 0)
    throw new InvalidParameterError("You should always set the Memory limit when using Memoryswap limit, see usage");
  if (swap > 0 && swap < memory)
    throw new InvalidParameterError("Minimum memoryswap limit should be larger than memory limit, see usage");
  if ((hostConfig.NanoCpus ?? 0) < 0) throw new InvalidParameterError("invalid value for CPUs: must not be negative");
  if ((hostConfig.ShmSize ?? 0) < 0) throw new InvalidParameterError("SHM size can not be less than 0");
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
