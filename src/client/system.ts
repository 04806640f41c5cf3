import type { CheckLine } from "#spec/berth-api.ts";
import type { DiskUsage, EventMessage, VersionInfo } from "#spec/docker-system.ts";
import { readJson, readJsonLines } from "./connection/response-body.ts";
import type { Engine } from "./engine.ts";
import { encodeFilters, type Filters } from "./filters.ts";

/** `GET /version`. */
export async function engineVersion(engine: Engine): Promise<VersionInfo> {
  return readJson(await engine.send({ method: "GET", path: "/version" }));
}

/** `GET /info`: many fields, which differ by engine. */
export async function engineInfo(engine: Engine): Promise<Readonly<Record<string, unknown>>> {
  return readJson(await engine.send({ method: "GET", path: "/info" }));
}

/** `GET /system/df`. */
export async function diskUsage(engine: Engine): Promise<DiskUsage> {
  return readJson(await engine.send({ method: "GET", path: "/system/df" }));
}

/** `GET /events`, until the engine ends it (`until`) or `signal` aborts. */
export async function* engineEvents(
  engine: Engine,
  options: {
    readonly since?: string | undefined;
    readonly until?: string | undefined;
    readonly filters?: Filters;
    readonly signal?: AbortSignal | undefined;
  },
): AsyncGenerator<EventMessage, void, void> {
  const query = { since: options.since, until: options.until, filters: encodeFilters(options.filters) };
  yield* readJsonLines<EventMessage>(
    await engine.send({ method: "GET", path: "/events", query, signal: options.signal }),
  );
}

/** `GET /berth/system/check`. */
export async function* checkStore(engine: Engine, signal?: AbortSignal): AsyncGenerator<CheckLine, void, void> {
  yield* readJsonLines<CheckLine>(await engine.send({ method: "GET", path: "/berth/system/check", signal }));
}

export interface AuthRequest {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
  readonly serveraddress: string;
}

export interface AuthAnswer {
  readonly Status: string;
  readonly IdentityToken?: string;
}

/** `POST /auth`. Throws EngineError 401 when the registry refuses. */
export async function checkAuth(engine: Engine, body: AuthRequest): Promise<AuthAnswer> {
  return readJson(await engine.send({ method: "POST", path: "/auth", body: { json: body } }));
}
