/** Attach, exec and terminal sizes. */
import type { ExecCreateRequest, ExecInspect } from "#spec/docker-exec.ts";
import { drain, readJson } from "./connection/response-body.ts";
import { containerPath } from "./container-lifecycle.ts";
import type { Engine, EngineStream } from "./engine.ts";
import { pathName } from "./path-name.ts";

export interface AttachOptions {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly detachKeys?: string | undefined;
  readonly signal?: AbortSignal;
}

/** `POST /containers/{id}/attach`, as a raw connection. */
export function attachContainer(engine: Engine, id: string, options: AttachOptions): Promise<EngineStream> {
  const { stdin, stdout, stderr, detachKeys, signal } = options;
  const query = { stream: true, stdin, stdout, stderr, detachKeys: detachKeys || undefined };
  return engine.upgrade({ method: "POST", path: `${containerPath(id)}/attach`, query, signal });
}

/** `POST /containers/{id}/exec`: the id of the new exec. */
export async function createExec(engine: Engine, id: string, body: ExecCreateRequest): Promise<string> {
  const response = await engine.send({ method: "POST", path: `${containerPath(id)}/exec`, body: { json: body } });
  return (await readJson<{ readonly Id: string }>(response)).Id;
}

export interface ExecStartOptions {
  readonly tty: boolean;
  readonly consoleSize?: readonly [height: number, width: number] | undefined;
}

/** `POST /exec/{id}/start`, as a raw connection. */
export function startExec(engine: Engine, id: string, options: ExecStartOptions): Promise<EngineStream> {
  return engine.upgrade({ method: "POST", path: `${execPath(id)}/start`, body: { json: startBody(options, false) } });
}

/** `POST /exec/{id}/start` without a connection: the process runs on alone. */
export async function startExecDetached(engine: Engine, id: string, options: ExecStartOptions): Promise<void> {
  const body = { json: startBody(options, true) };
  await drain(await engine.send({ method: "POST", path: `${execPath(id)}/start`, body }));
}

/** `GET /exec/{id}/json`. */
export async function inspectExec(engine: Engine, id: string): Promise<ExecInspect> {
  return readJson(await engine.send({ method: "GET", path: `${execPath(id)}/json` }));
}

/** `POST /containers/{id}/resize`, or of an exec. */
export async function resizeTerminal(
  engine: Engine,
  target: { readonly kind: "container" | "exec"; readonly id: string },
  size: { readonly rows: number; readonly columns: number },
): Promise<void> {
  const path = target.kind === "exec" ? execPath(target.id) : containerPath(target.id);
  await drain(await engine.send({ method: "POST", path: `${path}/resize`, query: { h: size.rows, w: size.columns } }));
}

function execPath(id: string): string {
  return `/exec/${pathName("exec", id)}`;
}

function startBody(options: ExecStartOptions, detach: boolean): unknown {
  const { tty, consoleSize } = options;
  return { Detach: detach, Tty: tty, ...(consoleSize ? { ConsoleSize: consoleSize } : {}) };
}
