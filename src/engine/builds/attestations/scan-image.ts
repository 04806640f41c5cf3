import { BuildError } from "#build/build-error.ts";
import type { BuildRequest } from "#build/builder.ts";
import { NO_OPTIONS, writtenInput } from "#build/written-build.ts";
import type { Engine } from "#engine/engine.ts";
import type { Predicate } from "#engine/images/attestation-manifest.ts";
import { askImageFiles, type ImageFiles } from "#engine/images/image-files.ts";
import { LocalImages } from "#engine/images/lookup.ts";
import { errorMessage, InvalidParameterError, UnavailableError } from "#errors/errors.ts";
import { formatPlatform } from "#formats/platform.ts";
import { map, object, text } from "#lib/json-decoder.ts";
import type { Digest } from "#spec/digest.ts";
import type { SolveStatus } from "#spec/solve-status.ts";
import type { BuiltResult } from "../outputs/deliver.ts";
import { PassingImage } from "../outputs/passing-image.ts";
import type { SbomRequest } from "./attestation-requests.ts";
import type { Attested } from "./attester.ts";
import { type FurtherScan, furtherScans } from "./further-scans.ts";

/** Where the generator finds the files, and where it leaves its findings. https://github.com/moby/buildkit/blob/master/docs/attestations/sbom-protocol.md */
const SOURCE = "/run/src/core/sbom";
const EXTRAS = "/run/src/extras";
const DESTINATION = "/run/out";
const ENDING = ".spdx.json";
/** Of one document; syft's of a large image has some tens of megabytes. */
const MAX_DOCUMENT = 256 * 1024 * 1024;

export interface ScanRequest {
  readonly sbom: SbomRequest;
  /** Whose logins, output and end the scan shares; of what else it needed an SBOM may tell too. */
  readonly build: BuildRequest;
}

/**
 * Runs the generator over each image, and over what else the Dockerfile wants scanned. It is a step of a build of its own, so that it has the limits and the cache of steps: what was scanned once is not scanned
 * again. Throws UnavailableError when the generator cannot be had or fails, InvalidParameterError when what it writes is no SBOM.
 */
export async function scanImages(
  engine: Engine,
  built: Pick<BuiltResult, "images" | "scanTargets">,
  request: ScanRequest,
): Promise<ReadonlyMap<Digest, readonly Attested[]>> {
  const { generator } = request.sbom;
  try {
    return await scanAll(engine, built, request);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    const reason = errorMessage(error).replace(/^failed to solve: /, "");
    throw new UnavailableError(`cannot make an SBOM with ${generator}: ${reason}`, { cause: error });
  }
}

async function scanAll(
  engine: Engine,
  { images, scanTargets }: Pick<BuiltResult, "images" | "scanTargets">,
  request: ScanRequest,
): Promise<ReadonlyMap<Digest, readonly Attested[]>> {
  const { generator } = request.sbom;
  await using passing = new PassingImage(engine);
  const scans = new Map<Digest, readonly Attested[]>();
  const further = await furtherScans(engine, request.build, scanTargets);
  for (const id of further.flatMap((scan) => scan.images)) passing.add(id);
  const resolved = await solve(engine, request, { lines: [`FROM ${generator}`], contexts: {}, name: "" });
  try {
    const args = commandOf(engine, resolved, generator);
    for (const [at, { id, platform }] of images.entries()) {
      const name = `[${formatPlatform(platform)}] generating sbom using ${generator}`;
      const mounts = mountsOf(id, at, further);
      const lines = scanLines(request.sbom, args, mounts);
      const contexts = Object.fromEntries(
        mounts.map(({ context, image }) => [context, { kind: "image" as const, id: image }]),
      );
      const found = await solve(engine, request, { lines, contexts, name });
      try {
        const scan = await askImageFiles(engine.images, engine.containers.snapshotter, found, readScans);
        if (scan.length === 0)
          throw new InvalidParameterError(`cannot make an SBOM with ${generator}: it wrote no document NAME${ENDING}`);
        scans.set(id, scan);
      } finally {
        passing.add(found);
      }
    }
  } finally {
    passing.add(resolved);
  }
  return scans;
}

function commandOf({ images }: Engine, id: Digest, generator: string): readonly string[] {
  const { Entrypoint, Cmd } = new LocalImages(images).config(id).config ?? {};
  const args = [...(Entrypoint ?? []), ...(Cmd ?? [])];
  if (args.length === 0) throw new InvalidParameterError(`scanner ${generator} does not have cmd`);
  return args;
}

/** An image where the generator finds it. */
interface ScanMount {
  /** Its name among the contexts of the scan. */
  readonly context: string;
  readonly image: Digest;
  readonly target: string;
}

function mountsOf(image: Digest, at: number, further: readonly FurtherScan[]): readonly ScanMount[] {
  return [
    { context: "scanned", image, target: SOURCE },
    ...further.map(({ name, images }, index) => ({
      context: `scanned-extra${index}`,
      image: images[images.length > 1 ? at : 0] ?? image,
      target: `${EXTRAS}/sbom-${name}`,
    })),
  ];
}

function scanLines(
  { generator, parameters }: SbomRequest,
  args: readonly string[],
  mounts: readonly ScanMount[],
): readonly string[] {
  const environment = {
    BUILDKIT_SCAN_DESTINATION: `${DESTINATION}/`,
    BUILDKIT_SCAN_SOURCE: SOURCE,
    ...(mounts.length > 1 ? { BUILDKIT_SCAN_SOURCE_EXTRAS: EXTRAS } : {}),
    ...Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`BUILDKIT_SCAN_${name}`, value])),
  };
  for (const [name, value] of Object.entries(environment)) {
    if (/[\n\r]/.test(value)) throw new InvalidParameterError(`invalid parameter ${name} of attestation type sbom`);
  }
  const binds = mounts.map(({ context, target }) => `--mount=type=bind,from=${context},target=${target}`);
  return [
    "FROM scratch AS out",
    `WORKDIR ${DESTINATION}`,
    `FROM ${generator} AS scan`,
    `COPY --from=out ${DESTINATION} ${DESTINATION}`,
    ...Object.entries(environment).map(([name, value]) => `ENV ${name}='${value.replaceAll("'", `'"'"'`)}'`),
    `RUN ${["--mount=type=tmpfs,target=/tmp", ...binds].join(" ")} ${JSON.stringify(args)}`,
    "FROM scratch",
    `COPY --from=scan ${DESTINATION}/ /`,
  ];
}

interface Solve {
  readonly lines: readonly string[];
  readonly contexts: NonNullable<BuildRequest["contexts"]>;
  /** What is shown of it: its RUN, under this name; its pulls alone without one. */
  readonly name: string;
}

async function solve(engine: Engine, { build }: ScanRequest, { lines, contexts, name }: Solve): Promise<Digest> {
  const filter = name === "" ? pullsOnly() : scanOnly(name);
  const { imageId } = await engine.builds.build(
    {
      ...pick(build),
      ...NO_OPTIONS,
      input: writtenInput(`${lines.join("\n")}\n`),
      dockerfileName: "SBOM generator",
      contexts,
      isImageWanted: false,
      tags: [],
      onStatus: (status) => build.onStatus(filter(status)),
    },
    { isUnrecorded: true },
  );
  return imageId;
}

/** A build of its own, but for these. */
function pick({
  logins,
  onStatus,
  signal,
  limits,
}: BuildRequest): Pick<BuildRequest, "logins" | "onStatus" | "signal" | "limits"> {
  return { ...(logins ? { logins } : {}), ...(limits ? { limits } : {}), onStatus, signal };
}

type StatusFilter = (status: SolveStatus) => SolveStatus;

function pullsOnly(): StatusFilter {
  return vertexFilter(({ name }) => {
    return /load metadata for /.test(name) || / FROM /.test(name) ? name : undefined;
  });
}

function scanOnly(shown: string): StatusFilter {
  return vertexFilter(({ name }) => (/^\[scan +\d+\/\d+\] RUN /.test(name) ? shown : undefined));
}

/** What is told of the vertexes that have a name to be shown by. */
function vertexFilter(nameOf: (vertex: { readonly name: string }) => string | undefined): StatusFilter {
  const kept = new Set<string>();
  return ({ vertexes = [], statuses = [], logs = [] }) => {
    const shown = vertexes.flatMap(({ reasons: _, ...vertex }) => {
      const name = nameOf(vertex);
      if (name === undefined) return [];
      kept.add(vertex.digest);
      return [{ ...vertex, name }];
    });
    const isKept = ({ vertex }: { readonly vertex: string }): boolean => kept.has(vertex);
    return { vertexes: shown, statuses: statuses.filter(isKept), logs: logs.filter(isKept) };
  };
}

/** Every document that the generator left. */
function readScans(files: ImageFiles): readonly Attested[] {
  const names = files.list("/").flatMap(({ name }) => (name.endsWith(ENDING) ? [name] : []));
  return names.sort().map((file) => {
    const bytes = files.read(`/${file}`, { offset: 0, length: 0, most: MAX_DOCUMENT });
    const name = file.slice(0, -ENDING.length);
    return { name: `${name}.spdx`, predicate: predicateOf(file, bytes), isInlineOnly: false };
  });
}

const decodeStatement = object<{ readonly predicateType: string; readonly predicate: object | null }>(
  { predicateType: text, predicate: map((value) => value, null) },
  { predicateType: "", predicate: null },
);

function predicateOf(file: string, bytes: Uint8Array): Predicate {
  try {
    const { predicateType: type, predicate: content } = decodeStatement(
      JSON.parse(Buffer.from(bytes).toString()),
      file,
    );
    if (type !== "" && content) return { type, content };
  } catch (cause) {
    throw new InvalidParameterError(
      `the SBOM generator wrote ${file}, which is no in-toto statement: ${errorMessage(cause)}`,
      { cause },
    );
  }
  throw new InvalidParameterError(`the SBOM generator wrote ${file}, which is no in-toto statement with a predicate`);
}
