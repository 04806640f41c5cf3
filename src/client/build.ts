import { SystemError } from "#errors/errors.ts";
import type { ContextOffer, SentContext } from "#spec/berth-api.ts";
import type { BuildAdvice } from "#spec/build-advice.ts";
import type { BuildPlan } from "#spec/build-record.ts";
import type { JsonMessage } from "#spec/docker-messages.ts";
import type { PreparedContext } from "./build-context/prepare.ts";
import { offerBody, sendMissing } from "./build-context/transfer.ts";
import { readJson, readJsonBatches, readJsonLines } from "./connection/response-body.ts";
import type { Engine, EngineResponse, QueryValue, RequestBody } from "./engine.ts";

/** The engine's answer to a build whose directory it lacks contents of: 202 with a ContextOffer. */
const LACKS_CONTENTS = 202;

/** The files of a build. `dockerfile` is the Dockerfile's name among them. */
export type BuildContext =
  /** Goes along with the request, as far as the engine has not got it: see spec/berth-api.ts. */
  | { readonly kind: "directory"; readonly prepared: PreparedContext; readonly dockerfile: string }
  /** A URL that the engine fetches; `id`: the Dockerfile was sent before. */
  | { readonly kind: "remote"; readonly url: string; readonly id?: string | undefined; readonly dockerfile: string }
  /** A tar, perhaps compressed, that goes along with the request. */
  | { readonly kind: "archive"; readonly bytes: AsyncIterable<Uint8Array>; readonly dockerfile: string };

/** One output as the engine is asked for it. `dest` is only told to be there. */
export interface BuildOutputRequest {
  readonly Type: string;
  readonly Attrs: Readonly<Record<string, string>>;
}

export interface BuildRequest {
  readonly context: BuildContext;
  /** `--build-context`, sent before or to be fetched, by name. */
  readonly contexts: Readonly<Record<string, SentContext>>;
  /** `--allow`. */
  readonly allow: readonly string[];
  /** Where it is, for the build's record: an absolute path, or `-`. */
  readonly source: string;
  readonly tags: readonly string[];
  readonly buildArgs: Readonly<Record<string, string | null>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: string;
  readonly noCache: boolean;
  readonly squash: boolean;
  /** Stages that are not looked up. */
  readonly noCacheFilter: readonly string[];
  /** Build once more without cache and compare. */
  readonly twice: boolean;
  /** `--cache-from` and `--cache-to`, paths absolute. */
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  readonly pull: boolean;
  readonly networkMode: string;
  readonly platform: string;
  readonly extraHosts: readonly string[];
  /** `-o`, in the order in which the engine counts them. */
  readonly outputs: readonly BuildOutputRequest[];
  /** `type=provenance,mode=max`, each type once. */
  readonly attestations: readonly string[];
  /** Limits of RUN steps, by the names of `POST /build`; 0 and "" are left out. */
  readonly limits: Readonly<Record<string, string | number>>;
  /** Of a session that serves this build: see build-session/open-session.ts. */
  readonly session?: string | undefined;
  /** Base64url JSON of credentials by registry, `X-Registry-Config`. */
  readonly registryConfig?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `POST /build`: SolveStatus updates in `aux` under the id `berth.solve` (before them the build's reference under `berth.build`), then the image's id; those that came together are given together. Closing the stream cancels the build. */
export async function* buildImage(
  engine: Engine,
  build: BuildRequest,
): AsyncGenerator<readonly JsonMessage[], void, void> {
  yield* readJsonBatches<JsonMessage>(await send(engine, build, {}));
}

/** `POST /build?berthplan=1`: what the build would do; nothing is run. A failure is a message as of a build's. */
export async function planBuild(engine: Engine, build: BuildRequest): Promise<Answer<BuildPlan>> {
  return await ask(engine, build, "berth.plan", { berthplan: true });
}

/** `POST /build?berthadvise=1`: how builds of the same could be shorter and smaller. */
export async function adviseBuild(engine: Engine, build: BuildRequest): Promise<Answer<BuildAdvice>> {
  return await ask(engine, build, "berth.advice", { berthadvise: true });
}

/** `POST /build?berthcall=lint`: what the Dockerfile says of itself; progress and answer are messages as of a build. */
export async function* callBuild(
  engine: Engine,
  build: BuildRequest,
  call: string,
): AsyncGenerator<JsonMessage, void, void> {
  yield* readJsonLines<JsonMessage>(await send(engine, build, { berthcall: call }));
}

/** What a build has for its client: a tar, or the bytes of one file. Closing early fails the build. */
export async function fetchOutput(engine: Engine, token: string, signal?: AbortSignal): Promise<AsyncIterable<Buffer>> {
  return (await engine.send({ method: "GET", path: `/berth/outputs/${token}`, signal })).body;
}

export type Answer<T> = { readonly value: T; readonly failure?: undefined } | { readonly failure: JsonMessage };

async function ask<T>(
  engine: Engine,
  build: BuildRequest,
  id: string,
  question: Readonly<Record<string, QueryValue>>,
): Promise<Answer<T>> {
  for await (const message of readJsonLines<JsonMessage>(await send(engine, build, question))) {
    if (message.id === id) return { value: message.aux as T };
    if (message.error) return { failure: message };
  }
  throw new SystemError("the engine ended the connection before it had answered");
}

async function send(
  engine: Engine,
  build: BuildRequest,
  more: Readonly<Record<string, QueryValue>>,
): Promise<EngineResponse> {
  const { context, signal } = build;
  if (context.kind === "archive")
    return await post(engine, build, more, { bytes: context.bytes, type: "application/x-tar" });
  if (context.kind === "remote") return await post(engine, build, { ...more, berthcontext: context.id });
  const response = await post(engine, build, { ...more, berthoffer: true }, offerBody(context.prepared));
  if (response.status !== LACKS_CONTENTS) return response;
  const offer = await readJson<ContextOffer>(response);
  await sendMissing(engine, context.prepared, offer, signal);
  return await post(engine, build, { ...more, berthcontext: offer.id });
}

async function post(
  engine: Engine,
  build: BuildRequest,
  more: Readonly<Record<string, QueryValue>>,
  body?: RequestBody,
): Promise<EngineResponse> {
  const { context } = build;
  return await engine.send({
    method: "POST",
    path: "/build",
    query: {
      ...more,
      remote: context.kind === "remote" ? context.url : undefined,
      berthcontexts: Object.keys(build.contexts).length > 0 ? JSON.stringify(build.contexts) : undefined,
      allow: build.allow.join(",") || undefined,
      version: "berth",
      session: build.session,
      dockerfile: context.dockerfile,
      berthsource: build.source,
      t: build.tags,
      buildargs: JSON.stringify(build.buildArgs),
      labels: JSON.stringify(build.labels),
      target: build.target || undefined,
      nocache: build.noCache,
      squash: build.squash,
      berthnocachefilter: build.noCacheFilter,
      berthtwice: build.twice,
      berthcachefrom: build.cacheFrom,
      berthcacheto: build.cacheTo,
      pull: build.pull,
      networkmode: build.networkMode,
      platform: build.platform || undefined,
      extrahosts: build.extraHosts.join(",") || undefined,
      berthattest: build.attestations,
      outputs: build.outputs.length > 0 ? JSON.stringify(build.outputs) : undefined,
      ...Object.fromEntries(Object.entries(build.limits).map(([name, value]) => [name, value || undefined])),
    },
    headers: build.registryConfig ? { "X-Registry-Config": build.registryConfig } : {},
    ...(body ? { body } : {}),
    signal: build.signal,
  });
}
