import { posix } from "node:path";
import { mergeHealthcheck } from "#engine/containers/supervise/health.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import type { ContainerConfig, ContainerCreateRequest } from "#spec/docker-containers.ts";
import type { ContainerDefaults } from "#spec/oci-image.ts";

/**
 * The request's Config over the image's, as `POST /containers/create` does: the image's ENV behind the user's as far as that has no such name, labels and
 * ports and volumes joined; an ENTRYPOINT given by the user drops the image's CMD; an empty one (`[""]`) clears both.
 * Throws InvalidParameterError when there is nothing to run.
 */
export function mergeConfig(
  request: ContainerCreateRequest,
  image: ContainerDefaults,
  hostname: string,
): ContainerConfig {
  const { HostConfig: _host, NetworkingConfig: _network, NetworkDisabled, ...own } = request;
  // That the command is escaped already matters on Windows alone.
  const { ArgsEscaped: _escaped, ...defaults } = image;
  const command = mergeCommand(own, image);
  const healthcheck = mergeHealthcheck(own.Healthcheck, image.Healthcheck);
  if ((command.Entrypoint?.length ?? 0) + (command.Cmd?.length ?? 0) === 0)
    throw new InvalidParameterError("no command specified");
  return {
    ...defaults,
    ...dropUnset(own),
    ...command,
    Hostname: own.Hostname || hostname,
    Domainname: own.Domainname ?? "",
    User: own.User || image.User || "",
    AttachStdin: own.AttachStdin ?? false,
    AttachStdout: own.AttachStdout ?? false,
    AttachStderr: own.AttachStderr ?? false,
    Tty: own.Tty ?? false,
    OpenStdin: own.OpenStdin ?? false,
    StdinOnce: own.StdinOnce ?? false,
    Env: configuredEnv(image.Env ?? [], own.Env ?? []),
    Image: own.Image ?? "",
    WorkingDir: own.WorkingDir ? cleanDirectory(own.WorkingDir) : (image.WorkingDir ?? ""),
    Labels: { ...image.Labels, ...own.Labels },
    ...joined("ExposedPorts", image.ExposedPorts, own.ExposedPorts),
    ...joined("Volumes", image.Volumes, own.Volumes),
    ...(healthcheck ? { Healthcheck: healthcheck } : {}),
    ...(NetworkDisabled ? { NetworkDisabled } : {}),
    OnBuild: own.OnBuild ?? null,
  };
}

/** `base` with `overrides` by name; a bare `NAME` in the overrides removes it. Order of first appearance is kept. */
export function mergeEnv(base: readonly string[], overrides: readonly string[]): string[] {
  const merged = new Map<string, string | undefined>();
  for (const entry of [...base, ...overrides]) merged.set(nameOf(entry), entry.includes("=") ? entry : undefined);
  return [...merged.values()].filter((entry) => entry !== undefined);
}

/** As Docker keeps it: the user's variables, a bare NAME too (the process gets none of that name), then those of the image under other names. */
function configuredEnv(image: readonly string[], own: readonly string[]): string[] {
  const given = new Set(own.map(nameOf));
  const last = new Map(own.map((entry) => [nameOf(entry), entry]));
  return [...last.values(), ...image.filter((entry) => !given.has(nameOf(entry)))];
}

function nameOf(entry: string): string {
  return entry.split("=", 1)[0] ?? "";
}

function mergeCommand(own: ContainerConfig, image: ContainerDefaults): Pick<ContainerConfig, "Cmd" | "Entrypoint"> {
  const entrypoint = own.Entrypoint ?? null;
  if (entrypoint === null || entrypoint.length === 0) {
    // An empty one is none at all, and leaves the image's command.
    return { Entrypoint: entrypoint ?? image.Entrypoint ?? null, Cmd: own.Cmd?.length ? own.Cmd : (image.Cmd ?? null) };
  }
  const cleared = entrypoint.length === 1 && entrypoint[0] === "";
  return { Entrypoint: cleared ? null : entrypoint, Cmd: own.Cmd ?? null };
}

/** Without what says nothing: null, empty texts, empty sets of ports and volumes. */
function dropUnset(config: ContainerConfig): ContainerConfig {
  const isUnset = (value: unknown): boolean =>
    value === null ||
    value === undefined ||
    value === "" ||
    (typeof value === "object" && !Array.isArray(value) && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(config).filter(([, value]) => !isUnset(value)));
}

type Keys = Readonly<Record<string, Record<string, never>>> | null | undefined;

function joined<Name extends string>(
  name: Name,
  image: Keys,
  own: Keys,
): Partial<Record<Name, Record<string, Record<string, never>>>> {
  const all = { ...image, ...own };
  return Object.keys(all).length > 0 ? ({ [name]: all } as Record<Name, Record<string, Record<string, never>>>) : {};
}

/** As Docker shows it: no `..`, no slash at the end. */
function cleanDirectory(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
}
