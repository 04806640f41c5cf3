import type { BuildRequest, BuildResult, BuiltImage } from "#build/builder.ts";
import { parseGitSource } from "#build/context/git-source.ts";
import { redactUrl, sourceUri } from "#build/context/redact-url.ts";
import type { Predicate } from "#engine/images/attestation-manifest.ts";
import { formatPlatform, hostPlatform } from "#formats/platform.ts";
import type { ProvenanceRequest } from "./attestation-requests.ts";
import { imageUrl } from "./package-url.ts";

/** What is known of a build when it has ended. */
export interface BuildFacts {
  readonly request: BuildRequest;
  readonly result: Pick<BuildResult, "sources" | "definition">;
  /** Of its record. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly started: number;
  readonly finished: number;
}

interface Material {
  readonly uri: string;
  readonly digest?: Readonly<Record<string, string>>;
}

const BUILD_TYPE = "https://mobyproject.org/buildkit@v1";
const DEFINITIONS = "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md";

/**
 * SLSA's provenance of one image, in BuildKit's form: readers know it. There is no LLB here that `buildConfig` could have. Values of secrets are
 * in no field. https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-provenance.md
 */
export function slsaPredicate(facts: BuildFacts, image: BuiltImage, asked: ProvenanceRequest): Predicate {
  return asked.version === "v1" ? predicateV1(facts, image, asked) : predicateV02(facts, image, asked);
}

/** https://slsa.dev/spec/v0.2/provenance */
function predicateV02(facts: BuildFacts, image: BuiltImage, asked: ProvenanceRequest): Predicate {
  const { request, id, started, finished } = facts;
  return {
    type: "https://slsa.dev/provenance/v0.2",
    content: {
      builder: { id: asked.builderId },
      buildType: BUILD_TYPE,
      materials: materialsOf(facts, image),
      invocation: {
        configSource: { ...remoteSource(facts), entryPoint: request.dockerfileName },
        parameters: parametersOf(request, asked),
        environment: { platform: formatPlatform(hostPlatform()) },
      },
      metadata: {
        buildInvocationID: id,
        buildStartedOn: new Date(started).toISOString(),
        buildFinishedOn: new Date(finished).toISOString(),
        completeness: { parameters: asked.mode === "max", environment: true, materials: false },
        reproducible: false,
        [`${BUILD_TYPE}#metadata`]: buildMetadata(facts, asked),
      },
    },
  };
}

/** https://slsa.dev/spec/v1.1/provenance */
function predicateV1(facts: BuildFacts, image: BuiltImage, asked: ProvenanceRequest): Predicate {
  const { request, id, started, finished } = facts;
  return {
    type: "https://slsa.dev/provenance/v1",
    content: {
      buildDefinition: {
        buildType: DEFINITIONS,
        externalParameters: {
          configSource: { ...remoteSource(facts), path: request.dockerfileName },
          request: parametersOf(request, asked),
        },
        internalParameters: { builderPlatform: formatPlatform(hostPlatform()) },
        resolvedDependencies: materialsOf(facts, image),
      },
      runDetails: {
        builder: { id: asked.builderId },
        metadata: {
          invocationID: id,
          startedOn: new Date(started).toISOString(),
          finishedOn: new Date(finished).toISOString(),
          buildkit_metadata: buildMetadata(facts, asked),
          buildkit_completeness: { request: asked.mode === "max", resolvedDependencies: false },
        },
      },
    },
  };
}

/** A context that the engine fetched, with its commit or digest. */
function remoteSource({ request: { input }, result }: BuildFacts): Partial<Material> {
  if (input.kind !== "remote") return {};
  const git = parseGitSource(input.url, { allowBareHost: true });
  const uri = git ? sourceUri(git.remote, git.ref) : redactUrl(input.url);
  return result.sources.find((source) => source.uri === uri) ?? { uri };
}

/** What went in: images, repositories and files of ADD and of contexts. What steps fetch by themselves is unknown: `completeness` says so. */
function materialsOf({ result }: BuildFacts, image: BuiltImage): readonly Material[] {
  return [...imagesOf(image), ...result.sources];
}

function imagesOf({ bases }: BuiltImage): readonly Material[] {
  return bases.map(({ reference, platform, manifestDigest }) => {
    const [algorithm = "", hex = ""] = manifestDigest?.split(":") ?? [];
    return { uri: imageUrl(reference, platform), ...(manifestDigest ? { digest: { [algorithm]: hex } } : {}) };
  });
}

/** By the names of the frontend's attributes. */
function parametersOf(request: BuildRequest, { mode }: ProvenanceRequest): object {
  const { target, noCache, noCacheFilter = [], platforms, buildArgs, labels, pull, contexts = {} } = request;
  const args: Record<string, string> = {
    ...(target === "" ? {} : { target }),
    ...(noCache ? { "no-cache": "" } : noCacheFilter.length > 0 ? { "no-cache": noCacheFilter.join(",") } : {}),
    ...(platforms.length > 0 ? { platform: platforms.join(",") } : {}),
    ...(pull ? { "image-resolve-mode": "pull" } : {}),
    ...(mode === "max" ? { ...prefixed("build-arg:", buildArgs), ...prefixed("label:", labels) } : {}),
  };
  const locals = request.input.kind === "remote" ? [] : ["context", "dockerfile"];
  const named = Object.keys(contexts);
  return {
    frontend: "dockerfile.v0",
    args: Object.fromEntries(Object.entries(args).sort(([a], [b]) => (a < b ? -1 : 1))),
    ...(locals.length + named.length > 0 ? { locals: [...locals, ...named].map((name) => ({ name })) } : {}),
  };
}

function prefixed(prefix: string, values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${prefix}${key}`, value]));
}

/** The Dockerfile. */
function buildMetadata({ request, result }: BuildFacts, { mode }: ProvenanceRequest): object {
  if (mode === "min") return {};
  const data = Buffer.from(result.definition).toString("base64");
  return { source: { infos: [{ filename: request.dockerfileName, language: "Dockerfile", data }] } };
}
