import { checkHealthcheck } from "#engine/containers/supervise/health.ts";
import { InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import { parseSignal } from "#lib/signals.ts";
import { parseExtraHost } from "#network/hosts-file.ts";
import { isMacAddress } from "#network/interfaces/mac-address.ts";
import { checkCapabilities } from "#runtime/bundle/capabilities.ts";
import { parseSecurityOptions } from "#runtime/bundle/security-options.ts";
import type { ContainerCreateRequest, HostConfig } from "#spec/docker-containers.ts";
import { checkLogConfig } from "./log-config.ts";
import { checkDevices } from "./validate-devices.ts";
import { checkLimits } from "./validate-limits.ts";
import { checkNamespaceConflicts, checkNamespaceModes } from "./validate-namespaces.ts";
import { checkSysctls } from "./validate-sysctls.ts";

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Throws InvalidParameterError with Docker's words unless `name` may name a container. */
export function checkName(name: string, shown: string = name): void {
  if (!NAME.test(name)) {
    throw new InvalidParameterError(`Invalid container name (${shown}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  }
}

/** dockerd makes containers without an image, of an empty root; nothing can run in one. */
function checkImageNamed(request: ContainerCreateRequest): void {
  const { HostConfig: _host, NetworkingConfig: _network, ...config } = request;
  if (Object.keys(config).length === 0)
    throw new InvalidParameterError("config cannot be empty in order to create a container");
  if (config.Image) return;
  const hasCommand = (config.Cmd ?? []).length + (config.Entrypoint ?? []).length > 0;
  throw new InvalidParameterError(hasCommand ? "cannot create a container without an image" : "no command specified");
}

/** Checks what a request asks before anything is made. Throws in Docker's words. */
export function checkCreateRequest(request: ContainerCreateRequest): void {
  checkImageNamed(request);
  const hostConfig = request.HostConfig ?? {};
  checkEnv(request.Env ?? []);
  if (request.StopSignal) parseSignal(request.StopSignal);
  checkHealthcheck(request.Healthcheck);
  checkOtherPlatforms(hostConfig);
  checkNamespaceModes(hostConfig);
  checkNamespaceConflicts(request, hostConfig);
  checkLimits(hostConfig);
  checkDevices(hostConfig);
  checkSysctls(hostConfig);
  checkSecurity(hostConfig);
  checkAnnotations(hostConfig.Annotations ?? {});
  checkRestartPolicy(hostConfig);
  if (request.WorkingDir && !request.WorkingDir.startsWith("/")) {
    throw new InvalidParameterError(
      `the working directory '${request.WorkingDir}' is invalid, it needs to be an absolute path`,
    );
  }
  if (hostConfig.LogConfig) checkLogConfig(hostConfig.LogConfig);
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

/** Throws InvalidParameterError for a policy that contradicts itself or `--rm`. */
export function checkRestartPolicy(hostConfig: Pick<HostConfig, "RestartPolicy" | "AutoRemove">): void {
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

/** What Docker has for other storage drivers and systems, or Berth does not honour: refused, so that nobody relies on it. */
function checkOtherPlatforms(hostConfig: HostConfig): void {
  const { Isolation = "", StorageOpt, Cgroup = "" } = hostConfig;
  if (!["", "default"].includes(Isolation.toLowerCase()))
    throw new InvalidParameterError(`Invalid isolation: "${Isolation}" - linux only supports 'default'`);
  if (Object.keys(StorageOpt ?? {}).length > 0)
    throw new InvalidParameterError("--storage-opt is supported only for overlay over xfs with 'pquota' mount option");
  if (Cgroup !== "") throw new NotImplementedError(`HostConfig.Cgroup "${Cgroup}" is not supported: leave it out`);
}

function checkSecurity({ CapAdd, CapDrop, SecurityOpt }: HostConfig): void {
  checkCapabilities("CapAdd", CapAdd ?? []);
  checkCapabilities("CapDrop", CapDrop ?? []);
  parseSecurityOptions(SecurityOpt ?? []);
}

function checkAnnotations(annotations: Readonly<Record<string, string>>): void {
  if (Object.hasOwn(annotations, ""))
    throw new InvalidParameterError("invalid Annotations: the empty string is not permitted as an annotation key");
}
