import { resolve } from "node:path";
import type { BuildContext, BuildRequest } from "#client/build.ts";
import { formatEndpoint } from "#client/connection/endpoint.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { proxyVariables } from "../config/proxy-environment.ts";
import { registryConfigHeader } from "../config/registry-auth.ts";
import type { CommandContext } from "../grammar/command.ts";
import { parseUlimit } from "../run/checks.ts";
import { keyValueMap } from "../run/key-value-file.ts";
import { attestations } from "./attestations.ts";
import type { BuildInvocation } from "./build-flags.ts";

/** What the engine is asked for, by the flags; its outputs, which the client may have to receive, are the caller's. Throws InvalidParameterError. */
export async function buildRequest(
  build: BuildContext,
  { flags, args }: BuildInvocation,
  context: CommandContext,
): Promise<BuildRequest> {
  return {
    context: build,
    outputs: [],
    attestations: attestations(flags),
    contexts: await namedContexts(flags["build-context"], context),
    allow: flags.allow,
    source:
      build.kind === "remote" || args[0] === "-" ? (args[0] ?? "") : resolve(context.workingDirectory, args[0] ?? ""),
    tags: flags.tag,
    buildArgs: withProxies(buildArguments(flags["build-arg"], context.environment), context),
    labels: keyValueMap(flags.label),
    target: flags.target,
    noCache: flags["no-cache"],
    squash: flags.squash,
    noCacheFilter: flags["no-cache-filter"].flatMap((names) => names.split(",")),
    twice: flags.twice,
    cacheFrom: flags["cache-from"].map((text) => sharedCache(text, "src", context)),
    cacheTo: flags["cache-to"].map((text) => sharedCache(text, "dest", context)),
    pull: flags.pull,
    networkMode: flags.network,
    platform: flags.platform || context.environment["DOCKER_DEFAULT_PLATFORM"] || "",
    extraHosts: flags["add-host"],
    limits: {
      memory: flags.memory,
      memswap: flags["memory-swap"],
      cpushares: flags["cpu-shares"],
      cpuperiod: flags["cpu-period"],
      cpuquota: flags["cpu-quota"],
      cpusetcpus: flags["cpuset-cpus"],
      cpusetmems: flags["cpuset-mems"],
      shmsize: flags["shm-size"],
      ulimits: flags.ulimit.length === 0 ? "" : JSON.stringify(flags.ulimit.map(parseUlimit)),
      cgroupparent: flags["cgroup-parent"],
    },
    registryConfig: await registryConfigHeader(context),
    signal: context.signal,
  };
}

/**
 * A directory is named from the root on: the engine does not know where the user stands. One that runs elsewhere would read and write
 * directories of its own machine. Throws InvalidParameterError.
 */
function sharedCache(text: string, field: "src" | "dest", { engine, workingDirectory }: CommandContext): string {
  const parts = text.split(",");
  if (parts.includes("type=local") && engine.endpoint.kind !== "unix") {
    throw new InvalidParameterError(
      `cache "${text}": the engine at ${formatEndpoint(engine.endpoint)} does not see directories of this machine: use type=registry, or build with docker buildx`,
    );
  }
  return parts
    .map((part) =>
      part.startsWith(`${field}=`) ? `${field}=${resolve(workingDirectory, part.slice(field.length + 1))}` : part,
    )
    .join(",");
}

async function namedContexts(values: readonly string[], context: CommandContext): Promise<BuildRequest["contexts"]> {
  if (values.length === 0) return {};
  const { sendNamedContexts } = await import("./named-contexts.ts");
  return await sendNamedContexts(values, context);
}

/** `NAME=VALUE`, or `NAME` for the client's own value; without one the ARG keeps its default. */
function buildArguments(
  values: readonly string[],
  environment: CommandContext["environment"],
): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    values.map((value) => {
      const equals = value.indexOf("=");
      return equals < 0 ? [value, environment[value] ?? null] : [value.slice(0, equals), value.slice(equals + 1)];
    }),
  );
}

/** The proxies of `config.json` are arguments of every build that does not set them itself. */
function withProxies(
  given: Readonly<Record<string, string | null>>,
  context: CommandContext,
): Readonly<Record<string, string | null>> {
  const names = new Set(Object.keys(given));
  const proxies = proxyVariables(context.configDirectory, context.engine.endpoint, names);
  return { ...Object.fromEntries(proxies.map((variable) => variable.split(/=(.*)/s, 2))), ...given };
}
