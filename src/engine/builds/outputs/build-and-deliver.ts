import type { BuildRequest, RecordedResult } from "#engine/builds/build-service.ts";
import { buildAgain } from "#engine/builds/twice/build-again.ts";
import type { Engine } from "#engine/engine.ts";
import { buildOutputs, type RequestedOutput } from "./build-output.ts";
import { type Delivered, deliverOutputs, type OutputSink } from "./deliver.ts";
import { PassingImage } from "./passing-image.ts";

export interface OutputOptions {
  readonly requested: readonly RequestedOutput[];
  readonly sink: OutputSink;
  /** Build once more and compare. */
  readonly isTwice: boolean;
  readonly onRecord: (id: string) => void;
}

/**
 * Builds and brings the result where `requested` says: into the store, to registries, to the client. An image that is only sent is gone
 * afterwards. Throws as BuildService.build and deliverOutputs do.
 */
export async function buildAndDeliver(
  engine: Engine,
  build: BuildRequest,
  { requested, sink, isTwice, onRecord }: OutputOptions,
): Promise<RecordedResult<Delivered>> {
  const outputs = buildOutputs(requested, build.tags);
  const names = outputs.flatMap((output) => (output.kind === "image" ? output.names : []));
  const isImageWanted = outputs.some(({ kind }) => kind === "image");
  const passing = isImageWanted ? undefined : new PassingImage(engine);
  const rewriteTimestamp = outputs.some((output) => "rewriteTimestamp" in output && output.rewriteTimestamp);
  return await engine.builds.build<Delivered>(
    { ...build, tags: [...new Set(names)], isImageWanted, rewriteTimestamp },
    {
      onRecord,
      deliver: async (image, onStatus) => {
        try {
          const { temporaryDirectory } = engine.builds;
          const { logins, signal } = build;
          const options = { outputs, sink, temporaryDirectory, logins, onStatus, signal };
          const delivered = await deliverOutputs(engine, image, options);
          if (!isTwice) return delivered;
          return { ...delivered, twice: await buildAgain(engine, { ...build, rewriteTimestamp, onStatus }, image) };
        } finally {
          await passing?.remove(image);
        }
      },
    },
  );
}
