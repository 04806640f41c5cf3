import { BuildError } from "#build/build-error.ts";
import { PassingImage } from "#engine/builds/outputs/passing-image.ts";
import type { Engine } from "#engine/engine.ts";
import { NotFoundError } from "#errors/errors.ts";
import type { DebugRoot } from "#spec/build-record.ts";
import type { Digest } from "#spec/digest.ts";
import type { ErrorDetail } from "../session/error-details.ts";
import type { SolveJob } from "../solve/solve-job.ts";

/** https://github.com/moby/buildkit/blob/master/solver/errdefs/solve.go: JSON as protobuf has it. */
const SOLVE_TYPE = "github.com/moby/buildkit/errdefs.Solve+json";

/**
 * What a client needs to look around after a command has failed (`buildx debug --on error`): the command, and its root as it left it as a result of the solve. Nothing for other
 * failures. The root goes with the solve.
 */
export async function failedRootDetails(
  engine: Engine,
  job: SolveJob,
  error: unknown,
): Promise<readonly ErrorDetail[]> {
  if (!(error instanceof BuildError) || error.failure.code === undefined) return [];
  const held = new PassingImage(engine);
  job.defer(() => held[Symbol.asyncDispose]());
  const found = await failedRoot(engine, job.ref);
  if (!found) return [];
  const { root, image } = found;
  held.add(image);
  const id = job.addResult({ image, build: Symbol("failed") });
  const { args, env, cwd, user } = root;
  const op = { exec: { meta: { args, env, cwd, user }, mounts: [{ dest: "/" }] } };
  return [{ typeUrl: SOLVE_TYPE, value: Buffer.from(JSON.stringify({ inputIDs: [id], mountIDs: [id], op })) }];
}

async function failedRoot(
  { builds }: Engine,
  ref: string,
): Promise<{ readonly root: DebugRoot["root"]; readonly image: Digest } | undefined> {
  try {
    const { imageId: image, root } = await builds.debugRoot(ref);
    return { image, root };
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
