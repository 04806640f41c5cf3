/** Records of builds, Berth's own calls: spec/build-record.ts. A reference is an id, the beginning of one, or `^N`. */
import type { BuildRecord, BuildSummary, DebugRoot } from "#spec/build-record.ts";
import type { SolveStatus } from "#spec/solve-status.ts";
import { drain, readJson, readJsonLines } from "./connection/response-body.ts";
import type { Engine } from "./engine.ts";

/** `GET /berth/builds`: the latest first. */
export async function listBuilds(engine: Engine): Promise<readonly BuildSummary[]> {
  return readJson(await engine.send({ method: "GET", path: "/berth/builds" }));
}

/** `GET /berth/builds/{ref}`. */
export async function inspectBuild(engine: Engine, reference: string): Promise<BuildRecord> {
  return readJson(await engine.send({ method: "GET", path: `/berth/builds/${pathOf(reference)}` }));
}

/** `GET /berth/builds/{ref}/log`: all that the build said, in its order. */
export async function* buildLog(engine: Engine, reference: string): AsyncGenerator<SolveStatus, void, void> {
  yield* readJsonLines<SolveStatus>(
    await engine.send({ method: "GET", path: `/berth/builds/${pathOf(reference)}/log` }),
  );
}

/** `POST /berth/builds/debug`: an image of the root that a failed step left; of the latest such build for "". */
export async function debugBuild(engine: Engine, reference: string): Promise<DebugRoot> {
  const query = { ref: reference || undefined };
  return readJson(await engine.send({ method: "POST", path: "/berth/builds/debug", query }));
}

/** `DELETE /berth/builds/{ref}`. */
export async function removeBuild(engine: Engine, reference: string): Promise<void> {
  await drain(await engine.send({ method: "DELETE", path: `/berth/builds/${pathOf(reference)}` }));
}

/** `DELETE /berth/builds`: all that have ended. Returns their ids. */
export async function removeAllBuilds(engine: Engine): Promise<readonly string[]> {
  const answer = await engine.send({ method: "DELETE", path: "/berth/builds" });
  return (await readJson<{ readonly Removed: readonly string[] }>(answer)).Removed;
}

/** The latest for "". */
function pathOf(reference: string): string {
  return encodeURIComponent(reference === "" ? "^0" : reference);
}
