/** `GET /containers/…`: the calls that read. */
import type { ContainerInspect, ContainerSummary } from "#spec/docker-containers.ts";
import { readJson } from "./connection/response-body.ts";
import { containerPath } from "./container-lifecycle.ts";
import type { Engine, EngineResponse } from "./engine.ts";
import { encodeFilters, type Filters } from "./filters.ts";

export interface ListContainersOptions {
  readonly all?: boolean;
  /** The newest `limit` containers, whatever their state. */
  readonly limit?: number;
  readonly size?: boolean;
  readonly filters?: Filters;
}

/** `GET /containers/json`. */
export async function listContainers(
  engine: Engine,
  options: ListContainersOptions = {},
): Promise<readonly ContainerSummary[]> {
  const query = {
    all: options.all,
    limit: options.limit !== undefined && options.limit > 0 ? options.limit : undefined,
    size: options.size,
    filters: encodeFilters(options.filters),
  };
  return readJson(await engine.send({ method: "GET", path: "/containers/json", query }));
}

/** `GET /containers/{id}/json`. */
export async function inspectContainer(engine: Engine, id: string, size: boolean = false): Promise<ContainerInspect> {
  return readJson(await engine.send({ method: "GET", path: `${containerPath(id)}/json`, query: { size } }));
}

export interface LogsOptions {
  readonly follow?: boolean;
  readonly timestamps?: boolean;
  readonly details?: boolean;
  /** Unix seconds with a fraction. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly tail?: string;
  readonly signal?: AbortSignal;
}

/** `GET /containers/{id}/logs`, both streams: frames, or raw bytes when the container has a terminal. */
export function containerLogs(engine: Engine, id: string, options: LogsOptions): Promise<EngineResponse> {
  const { follow, timestamps, details, since, until, tail, signal } = options;
  const query = { stdout: true, stderr: true, follow, timestamps, details, since, until, tail };
  return engine.send({ method: "GET", path: `${containerPath(id)}/logs`, query, signal });
}

export interface ProcessList {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[] | null;
}

/** `GET /containers/{id}/top`. */
export async function containerTop(engine: Engine, id: string, psArgs: string): Promise<ProcessList> {
  const query = { ps_args: psArgs || undefined };
  return readJson(await engine.send({ method: "GET", path: `${containerPath(id)}/top`, query }));
}

export interface PathChange {
  readonly Path: string;
  /** 0 changed, 1 added, 2 deleted. */
  readonly Kind: 0 | 1 | 2;
}

/** `GET /containers/{id}/changes`. */
export async function containerChanges(engine: Engine, id: string): Promise<readonly PathChange[]> {
  const response = await engine.send({ method: "GET", path: `${containerPath(id)}/changes` });
  return (await readJson<readonly PathChange[] | null>(response)) ?? [];
}
