import type { PlannedVertex } from "#engine/builds/build-service.ts";
import type { BuiltResult } from "#engine/builds/outputs/deliver.ts";
import { familiarString, parseReference } from "#formats/reference.ts";
import type { JsonMessage } from "#spec/docker-messages.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { BuildFailure, SolveStatus } from "#spec/solve-status.ts";
import {
  LegacyBuildStream,
  legacyFailure,
  legacyHeader,
  legacySuccess,
  legacyWarnings,
} from "./legacy-build-stream.ts";

/** What is told of a build that made something. */
type ShownResult = BuiltResult & { readonly unusedArgs: readonly string[] };

/** How a build's progress reaches one kind of client. */
export interface BuildRendering {
  /** The id of the build's record is known. */
  begin(id: string): readonly JsonMessage[];
  plan(plan: readonly PlannedVertex[]): readonly JsonMessage[];
  status(status: SolveStatus): readonly JsonMessage[];
  success(result: ShownResult, descriptor?: Descriptor): readonly JsonMessage[];
  /** What comes before the first failure if nothing was shown yet; none: the answer is an error with a status of its own. */
  header(failure: BuildFailure): readonly JsonMessage[];
  failure(failure: BuildFailure): JsonMessage;
}

/** Berth's own client draws the progress itself. */
export function berthRendering(): BuildRendering {
  return {
    begin: (id) => [{ id: "berth.build", aux: { Ref: id } }],
    plan: () => [],
    status: (status) => [{ id: "berth.solve", aux: status }],
    success: ({ imageId, images }, descriptor) => [
      {
        aux: {
          ID: imageId,
          ...(descriptor ? { Descriptor: descriptor } : {}),
          ...(images.length > 1 ? { Images: images.map(({ id, platform }) => ({ ID: id, Platform: platform })) } : {}),
        },
      },
    ],
    header: () => [],
    failure: (failure) => ({ errorDetail: { message: failure.message }, error: failure.message, aux: failure }),
  };
}

/** The classic builder's text. `tags` are canonical. */
export function legacyRendering(quiet: boolean, tags: readonly string[]): BuildRendering {
  const stream = new LegacyBuildStream();
  const familiar = tags.map((tag) => familiarString(parseReference(tag)));
  return {
    begin: () => [],
    plan: (plan) => (quiet ? [] : stream.begin(plan)),
    status: (status) => (quiet ? [] : stream.update(status)),
    success: ({ imageId, unusedArgs }) =>
      quiet ? [{ stream: `${imageId}\n` }] : [...legacyWarnings(unusedArgs), ...legacySuccess(imageId, familiar)],
    header: legacyHeader,
    failure: legacyFailure,
  };
}
