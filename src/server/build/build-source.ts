import type { BuildRequest, OpenContext } from "#engine/builds/build-service.ts";
import type { Engine } from "#engine/engine.ts";
import { NotImplementedError } from "#errors/errors.ts";
import type { BuildClient, LoadBuildKit } from "../buildkit.ts";
import { decodeBuildContexts } from "../decode/build-contexts.ts";
import type { RequestContext } from "../request-context.ts";
import type { CancellableBuilds } from "./cancellable-builds.ts";
import type { OutputFiles } from "./output-files.ts";
import type { UploadedContexts } from "./uploaded-contexts.ts";

/** Where builds may get their files from. */
export interface BuildSources {
  readonly engine: Engine;
  readonly loadBuildKit: LoadBuildKit;
  readonly uploads: UploadedContexts;
  readonly running: CancellableBuilds;
  readonly outputFiles: OutputFiles;
}

/** Where one build gets its files and whatever else it asks its client for. Dispose it when the build has ended. */
export interface BuildSource extends AsyncDisposable {
  /** Aborts when the client has gone: the one of the request, or the one of the session. */
  readonly signal: AbortSignal;
  readonly services: Pick<BuildRequest, "secrets" | "sshAgents" | "logins" | "contexts">;
  input(dockerfileName: string): Promise<BuildRequest["input"]>;
  /** The session's client, if there is one. */
  readonly client?: BuildClient;
}

/**
 * `sent` names a context that was sent before, if there is one; else the query tells: `remote=client-session` the directories of the session,
 * `remote=upload-request` a tar in another request; otherwise the body is a tar. Throws NotFoundError for a session or context that does
 * not come, InvalidParameterError for a bad tar.
 */
export async function openBuildSource(
  sources: BuildSources,
  request: RequestContext,
  sent: string,
): Promise<BuildSource> {
  const sessionId = request.text("session");
  if (sessionId === "") return ofRequest(sources, request, sent);
  const client = await (await sources.loadBuildKit()).openClient(sessionId, request.signal);
  if (request.text("version") === "2") return ofClient(sources, request, client);
  return besideClient(sources, request, client, sent);
}

/** The request brings the files, as Berth's own client does; the session serves the rest. */
async function besideClient(
  sources: BuildSources,
  request: RequestContext,
  client: BuildClient,
  sent: string,
): Promise<BuildSource> {
  const source = await ofRequest(sources, request, sent);
  return {
    ...source,
    signal: AbortSignal.any([request.signal, client.signal]),
    services: { ...source.services, ...client.services },
    [Symbol.asyncDispose]: async () => {
      await source[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
    },
  };
}

function ofClient(sources: BuildSources, request: RequestContext, client: BuildClient): BuildSource {
  const signal = AbortSignal.any([request.signal, client.signal]);
  const opened: OpenContext[] = [];
  const source = {
    client,
    signal,
    services: client.services,
    input: async (name: string): Promise<BuildRequest["input"]> => {
      if (request.text("remote") === "client-session") return client.input(name, signal);
      const remote = remoteUrl(request);
      if (remote !== undefined) return { kind: "remote", url: remote };
      const context = await openContext(sources, request, signal);
      opened.push(context);
      return inputOf(context, name);
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      for (const context of opened) await context[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
    },
  };
  return source;
}

/** Faults of the context are answered with a status, before the answer begins. */
async function ofRequest(sources: BuildSources, request: RequestContext, sent: string): Promise<BuildSource> {
  await using stack = new AsyncDisposableStack();
  const { builds } = sources.engine;
  const contexts = builds.namedContexts(decodeBuildContexts(request.text("berthcontexts")), stack);
  const input = await inputOfRequest(sources, request, sent, stack);
  const held = stack.move();
  return {
    signal: request.signal,
    services: { contexts },
    input: async () => input,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function inputOfRequest(
  sources: BuildSources,
  request: RequestContext,
  sent: string,
  stack: AsyncDisposableStack,
): Promise<BuildRequest["input"]> {
  const name = request.text("dockerfile") || "Dockerfile";
  const remote = remoteUrl(request);
  if (remote !== undefined)
    return sources.engine.builds.remoteInput(remote, sent === "" ? undefined : { id: sent, name }, stack);
  const { contexts } = sources.engine.builds;
  return inputOf(
    stack.use(sent === "" ? await openContext(sources, request, request.signal) : contexts.open(sent)),
    name,
  );
}

/** What `remote` names, if that is no word of BuildKit's clients: a URL that the engine fetches. */
function remoteUrl(request: RequestContext): string | undefined {
  const remote = request.text("remote");
  return remote === "" || remote === "client-session" || remote === "upload-request" ? undefined : remote;
}

async function openContext(
  { engine, uploads }: BuildSources,
  request: RequestContext,
  signal: AbortSignal,
): Promise<OpenContext> {
  const dockerfile = request.text("dockerfile") || "Dockerfile";
  const remote = request.text("remote");
  if (remote === "upload-request") {
    const { body, done } = await uploads.take(request.text("buildid"), signal);
    try {
      return await engine.builds.contextFromTar(body, dockerfile);
    } finally {
      done();
    }
  }
  if (remote === "client-session") throw new NotImplementedError("building from client-session needs a session");
  return engine.builds.contextFromTar(request.request, dockerfile);
}

function inputOf(context: OpenContext, dockerfileName: string): BuildRequest["input"] {
  return {
    kind: "files",
    ignoreFile: context.ignoreFile,
    dockerfile: context.dockerfile(dockerfileName),
    context: { open: async () => context.files },
  };
}
