import type { BuildRequest, RecordedResult } from "#engine/builds/build-service.ts";
import { buildAgain } from "#engine/builds/twice/build-again.ts";
import type { Engine } from "#engine/engine.ts";
import type { AttestationRequests } from "../attestations/attestation-requests.ts";
import { type Attester, buildAttester } from "../attestations/attester.ts";
import type { BuildFacts } from "../attestations/slsa-predicate.ts";
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
  /** What to say of the images, beside them. */
  readonly attestations?: AttestationRequests | undefined;
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
  { requested, sink, isTwice, onRecord, onBuilt, isUnrecorded = false, attestations = {} }: OutputOptions,
): Promise<RecordedResult<Delivered>> {
  const outputs = buildOutputs(requested, { ...build, attestations });
  const started = Date.now();
  const wanted = forOutputs(build, outputs);
  let id = "";
  // One that a scan fails on has no name yet.
  await using passing = wanted.isImageWanted && !attestations.sbom ? undefined : new PassingImage(engine);
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
        const facts = { request: build, result: built, id, started, finished: Date.now() };
        const scanned = { built, outputs, attestations, facts, onStatus };
        const attester = await attesterOf(engine, scanned);
        const options = { outputs, sink, temporaryDirectory, logins, onStatus, signal, attester };
        const delivered = await deliverOutputs(engine, built, options);
        if (!isTwice) return delivered;
        return { ...delivered, twice: await buildAgain(engine, { ...wanted, onStatus }, built) };
      } catch (error) {
        for (const { id } of built.images) passing?.add(id);
        throw error;
      } finally {
        if (!wanted.isImageWanted) for (const { id } of built.images) passing?.add(id);
      }
    },
  });
}

interface AttestedBuild {
  readonly built: BuiltResult;
  readonly outputs: readonly BuildOutput[];
  readonly attestations: AttestationRequests;
  readonly facts: BuildFacts;
  readonly onStatus: BuildRequest["onStatus"];
}

/** Looks through the images where that is asked for. Undefined when no output has room for what would be said. */
async function attesterOf(
  engine: Engine,
  { built, outputs, attestations, facts, onStatus }: AttestedBuild,
): Promise<Attester | undefined> {
  const { provenance, sbom } = attestations;
  if (!outputs.some((output) => "attested" in output && output.attested !== "none")) return undefined;
  const { request: build } = facts;
  if (!sbom) return buildAttester({ facts, provenance, scans: new Map() });
  const { scanImages } = await import("../attestations/scan-image.ts");
  const scans = await scanImages(engine, built, { sbom, build: { ...build, onStatus } });
  return buildAttester({ facts, provenance, scans });
}

/** The build with what its outputs ask of it: the names in the engine's store, and what is to stand in its manifests. */
function forOutputs(build: BuildRequest, outputs: readonly BuildOutput[]): BuildRequest {
  const stored = outputs.flatMap((output) => (output.kind === "image" && output.isStored ? output : []));
  const annotations = stored.flatMap((output) => output.annotations);
  // Names of attested images are given when it is known what is attested.
  const named = stored.filter(({ isByDigest, push, attested }) => !isByDigest && (push || attested === "none"));
  return {
    ...build,
    tags: [...new Set(named.flatMap(({ names }) => names))],
    isImageWanted: stored.length > 0,
    rewriteTimestamp: outputs.some((output) => "rewriteTimestamp" in output && output.rewriteTimestamp),
    ...(stored.some(({ ociTypes }) => ociTypes) ? { annotations } : {}),
  };
}
