import type { BuildInput } from "#build/build-client.ts";
import type { BuildRequest } from "#build/builder.ts";
import type { ScanTargets } from "#build/graph/scan-targets.ts";
import type { Engine } from "#engine/engine.ts";
import type { Digest } from "#spec/digest.ts";

/** What an SBOM is about besides the result. */
export interface FurtherScan {
  /** `context`, or a stage. */
  readonly name: string;
  /** An image of these files for each image of the build, in its order; one for all of them. */
  readonly images: readonly Digest[];
}

/**
 * Makes images of what else an SBOM is to be about: stages of the build, whose steps are all cached by then, and the files of its context. The caller removes them. Throws as builds do.
 */
export async function furtherScans(
  engine: Engine,
  build: BuildRequest,
  { context, stages }: ScanTargets,
): Promise<readonly FurtherScan[]> {
  const { id: _, onPlan: __, annotations: ___, cacheTo: ____, memory: _____, ...known } = build;
  const again = {
    ...known,
    tags: [],
    isImageWanted: false,
    squash: false,
    noCache: false,
    noCacheFilter: [],
    onStatus: () => undefined,
  };
  const made = async (name: string, request: BuildRequest): Promise<FurtherScan> => {
    const { ids: images } = await engine.builds.build(request, { isUnrecorded: true });
    return { name, images };
  };
  const scans: FurtherScan[] = [];
  if (context)
    scans.push(await made("context", { ...again, input: wholeContext(build.input), target: "", platforms: [] }));
  for (const name of stages) scans.push(await made(name, { ...again, target: name }));
  return scans;
}

function wholeContext(input: BuildInput): BuildInput {
  return { ...input, dockerfile: Buffer.from("FROM scratch\nCOPY . /\n") };
}
