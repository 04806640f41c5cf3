import { ConflictError, InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import { parseSignal } from "#lib/signals.ts";
import { parseExtraHost } from "#network/hosts-file.ts";
import { isMacAddress } from "#network/mac-address.ts";
import { checkCapabilities } from "#runtime/bundle/capabilities.ts";
import { parseSecurityOptions } from "#runtime/bundle/security-options.ts";
import type { ContainerCreateRequest, HostConfig } from "#spec/docker-api.ts";
import { checkHealthcheck } from "./health.ts";
import { checkLogConfig } from "./log-limits.ts";
import { checkLimits } from "./validate-limits.ts";

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Names that ask for the one runtime there is: none, its own, and how containerd calls it. */
const RUNTIMES = ["", "runc", "crun", "io.containerd.runc.v2"];

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
  checkHealthcheck(request.Healthcheck);
  checkSupported(hostConfig);
  checkNamespaceModes(hostConfig);
  checkLimits(hostConfig);
  checkSecurity(hostConfig);
  checkRestartPolicy(hostConfig);
  checkNetworkMode(request, hostConfig);
  if (request.WorkingDir && !request.WorkingDir.startsWith("/")) {
    throw new InvalidParameterError(
      `the working directory '${request.WorkingDir}' is invalid, it needs to be an absolute path`,
    );
  }
  checkLogConfig(hostConfig);
  for (const text of hostConfig.ExtraHosts ?? []) parseExtraHost(text);
  if (request.MacAddress && !isMacAddress(request.MacAddress))
    throw new InvalidParameterError(`address ${request.MacAddress}: invalid MAC address`);
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

function checkSecurity({ CapAdd, CapDrop, SecurityOpt, Runtime = "" }: HostConfig): void {
  checkCapabilities("CapAdd", CapAdd ?? []);
  checkCapabilities("CapDrop", CapDrop ?? []);
  parseSecurityOptions(SecurityOpt ?? []);
  if (!RUNTIMES.includes(Runtime)) throw new InvalidParameterError(`unknown or invalid runtime name: ${Runtime}`);
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
