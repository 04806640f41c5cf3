import type { BuildRequest, RecordedResult } from "#engine/builds/build-service.ts";
import { buildAgain } from "#engine/builds/twice/build-again.ts";
import type { Engine } from "#engine/engine.ts";
import { provenanceAttester } from "../provenance/attester.ts";
import type { ProvenanceRequest } from "../provenance/provenance-request.ts";
import { type BuildOutput, buildOutputs, type RequestedOutput } from "./build-output.ts";
import { type BuiltResult, type Delivered, deliverOutputs, type OutputSink } from "./deliver.ts";
import { PassingImage } from "./passing-image.ts";

export interface OutputOptions {
  readonly requested: readonly RequestedOutput[];
  readonly sink: OutputSink;
  /** Build once more and compare. */
  readonly isTwice?: boolean;
  readonly onRecord?: (id: string) => void;
  readonly isUnrecorded?: boolean;
  /** Say where the images come from, beside them. */
  readonly provenance?: ProvenanceRequest | undefined;
  /** Hears the images, and decides when they go where they are wanted: not at all with false. */
  readonly onBuilt?: (built: BuiltResult) => Promise<boolean>;
}

/**
 * Builds and brings the result where `requested` says: into the store, to registries, to the client. An image that is only sent is gone
 * afterwards. Throws as BuildService.build and deliverOutputs do.
 */
export async function buildAndDeliver(
  engine: Engine,
  build: BuildRequest,
  { requested, sink, isTwice, onRecord, onBuilt, isUnrecorded = false, provenance }: OutputOptions,
): Promise<RecordedResult<Delivered>> {
  const outputs = buildOutputs(requested, { ...build, isAttested: provenance !== undefined });
  const started = Date.now();
  const wanted = forOutputs(build, outputs);
  let id = "";
  const passing = wanted.isImageWanted ? undefined : new PassingImage(engine);
  return await engine.builds.build<Delivered>(wanted, {
    onRecord: (recorded) => {
      id = recorded;
      onRecord?.(recorded);
    },
    isUnrecorded,
    deliver: async (built, onStatus) => {
      try {
        if (onBuilt && !(await onBuilt(built))) return {};
        const { temporaryDirectory } = engine.builds;
        const { logins, signal } = build;
        const facts = { request: build, id, started, finished: Date.now() };
        const attester = provenance && provenanceAttester(facts, provenance);
        const options = { outputs, sink, temporaryDirectory, logins, onStatus, signal, attester };
        const delivered = await deliverOutputs(engine, built, options);
        if (!isTwice) return delivered;
        return { ...delivered, twice: await buildAgain(engine, { ...wanted, onStatus }, built) };
      } finally {
        for (const { id } of built.images) await passing?.remove(id);
      }
    },
  });
}

/** The build with what its outputs ask of it: the names in the engine's store, and what is to stand in its manifests. */
function forOutputs(build: BuildRequest, outputs: readonly BuildOutput[]): BuildRequest {
  const stored = outputs.flatMap((output) => (output.kind === "image" && output.isStored ? output : []));
  const annotations = stored.flatMap((output) => output.annotations);
  return {
    ...build,
    tags: [...new Set(stored.flatMap(({ isByDigest, names }) => (isByDigest ? [] : names)))],
    isImageWanted: stored.length > 0,
    rewriteTimestamp: outputs.some((output) => "rewriteTimestamp" in output && output.rewriteTimestamp),
    ...(stored.some(({ ociTypes }) => ociTypes) ? { annotations } : {}),
  };
}
