import type { ContainerStats } from "#spec/docker-stats.ts";
import { readJsonLines } from "./connection/response-body.ts";
import { containerPath } from "./container-lifecycle.ts";
import type { Engine } from "./engine.ts";

/** `GET /containers/{id}/stats`: a line a second until `signal` aborts, or with `stream: false` one. */
export async function* containerStats(
  engine: Engine,
  id: string,
  options: { readonly stream: boolean; readonly signal?: AbortSignal },
): AsyncGenerator<ContainerStats, void, void> {
  // `false` would be left out, and streaming is the default.
  const query = { stream: options.stream ? 1 : 0 };
  const path = `${containerPath(id)}/stats`;
  yield* readJsonLines<ContainerStats>(await engine.send({ method: "GET", path, query, signal: options.signal }));
}
