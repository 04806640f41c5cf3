/** `POST /containers/…` and `DELETE`: the calls that change a container. */
import type { ContainerCreateRequest, ContainerCreateResponse, WaitResponse } from "#spec/docker-containers.ts";
import type { UpdateRequest, UpdateResponse } from "#spec/docker-update.ts";
import { drain, readJson } from "./connection/response-body.ts";
import type { Engine, QueryValue } from "./engine.ts";
import { pathName } from "./path-name.ts";

/** `POST /containers/create`. Throws EngineError 404 when the image is not there, 409 when the name is taken. */
export async function createContainer(
  engine: Engine,
  body: ContainerCreateRequest,
  options: { readonly name?: string | undefined; readonly platform?: string | undefined } = {},
): Promise<ContainerCreateResponse> {
  const query = { name: options.name || undefined, platform: options.platform || undefined };
  return readJson(await engine.send({ method: "POST", path: "/containers/create", query, body: { json: body } }));
}

/** `POST /containers/{id}/start`. A running container is left alone. */
export async function startContainer(engine: Engine, id: string, detachKeys?: string): Promise<void> {
  await post(engine, id, "start", { detachKeys: detachKeys || undefined });
}

export interface StopOptions {
  readonly signal?: string | undefined;
  /** Seconds until the kill; -1 is never. */
  readonly timeout?: number | undefined;
}

/** `POST /containers/{id}/stop`. */
export async function stopContainer(engine: Engine, id: string, options: StopOptions = {}): Promise<void> {
  await post(engine, id, "stop", { signal: options.signal || undefined, t: options.timeout });
}

/** `POST /containers/{id}/restart`. */
export async function restartContainer(engine: Engine, id: string, options: StopOptions = {}): Promise<void> {
  await post(engine, id, "restart", { signal: options.signal || undefined, t: options.timeout });
}

/** `POST /containers/{id}/kill`. */
export async function killContainer(engine: Engine, id: string, signal?: string): Promise<void> {
  await post(engine, id, "kill", { signal: signal || undefined });
}

/** `POST /containers/{id}/pause`. */
export async function pauseContainer(engine: Engine, id: string): Promise<void> {
  await post(engine, id, "pause");
}

/** `POST /containers/{id}/unpause`. */
export async function unpauseContainer(engine: Engine, id: string): Promise<void> {
  await post(engine, id, "unpause");
}

/** `POST /containers/{id}/rename`. */
export async function renameContainer(engine: Engine, id: string, name: string): Promise<void> {
  await post(engine, id, "rename", { name });
}

/** `POST /containers/{id}/update`. */
export async function updateContainer(engine: Engine, id: string, body: UpdateRequest): Promise<UpdateResponse> {
  const path = `${containerPath(id)}/update`;
  return readJson(await engine.send({ method: "POST", path, body: { json: body } }));
}

/** `DELETE /containers/{id}`. */
export async function removeContainer(
  engine: Engine,
  id: string,
  options: { readonly force?: boolean; readonly volumes?: boolean; readonly link?: boolean } = {},
): Promise<void> {
  const query = { force: options.force, v: options.volumes, link: options.link };
  await drain(await engine.send({ method: "DELETE", path: containerPath(id), query }));
}

export type WaitCondition = "not-running" | "next-exit" | "removed";

/** What {@link waitContainer} gives: the engine listens when it resolves, `exit` resolves when the container has ended. */
export interface PendingExit {
  readonly exit: Promise<WaitResponse>;
}

/**
 * `POST /containers/{id}/wait`. Resolves once the engine has sent the headers, that is, once it watches: a container started
 * after that cannot end unseen.
 */
export async function waitContainer(
  engine: Engine,
  id: string,
  condition?: WaitCondition,
  signal?: AbortSignal,
): Promise<PendingExit> {
  const response = await engine.send({
    method: "POST",
    path: `${containerPath(id)}/wait`,
    query: { condition },
    signal,
  });
  const exit = readJson<WaitResponse>(response);
  exit.catch(() => undefined);
  return { exit };
}

/** `/containers/{id}`, escaped. */
export function containerPath(id: string): string {
  return `/containers/${pathName("container", id)}`;
}

async function post(
  engine: Engine,
  id: string,
  action: string,
  query: Readonly<Record<string, QueryValue>> = {},
): Promise<void> {
  await drain(await engine.send({ method: "POST", path: `${containerPath(id)}/${action}`, query }));
}
