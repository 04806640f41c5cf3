import type { BuildRequest, OpenContext } from "#engine/builds/build-service.ts";
import type { Engine } from "#engine/engine.ts";
import { NotImplementedError } from "#errors/errors.ts";
import type { BuildClient, LoadBuildKit } from "../buildkit.ts";
import type { RequestContext } from "../request-context.ts";
import type { CancellableBuilds } from "./cancellable-builds.ts";
import type { UploadedContexts } from "./uploaded-contexts.ts";

/** Where builds may get their files from. */
export interface BuildSources {
  readonly engine: Engine;
  readonly loadBuildKit: LoadBuildKit;
  readonly uploads: UploadedContexts;
  readonly running: CancellableBuilds;
}

/** Where one build gets its files and whatever else it asks its client for. Dispose it when the build has ended. */
export interface BuildSource extends AsyncDisposable {
  /** Aborts when the client has gone: the one of the request, or the one of the session. */
  readonly signal: AbortSignal;
  readonly services: Pick<BuildRequest, "secrets" | "sshAgents" | "logins">;
  input(dockerfileName: string): Promise<BuildRequest["input"]>;
}

/**
 * The query tells: `berthcontext` names a context that was sent before, `remote=client-session` the directories of the session,
 * `remote=upload-request` a tar in another request; otherwise the body is a tar. Throws NotFoundError for a session or context that does
 * not come, InvalidParameterError for a bad tar.
 */
export async function openBuildSource(sources: BuildSources, request: RequestContext): Promise<BuildSource> {
  const sessionId = request.text("session");
  if (sessionId === "") return ofRequest(sources, request);
  const client = await (await sources.loadBuildKit()).openClient(sessionId, request.signal);
  return ofClient(sources, request, client);
}

function ofClient(sources: BuildSources, request: RequestContext, client: BuildClient): BuildSource {
  const signal = AbortSignal.any([request.signal, client.signal]);
  const opened: OpenContext[] = [];
  const source = {
    signal,
    services: client.services,
    input: async (name: string): Promise<BuildRequest["input"]> => {
      if (request.text("remote") === "client-session") return client.input(name, signal);
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
async function ofRequest(sources: BuildSources, request: RequestContext): Promise<BuildSource> {
  const context = await openContext(sources, request, request.signal);
  try {
    const input = inputOf(context, request.text("dockerfile") || "Dockerfile");
    return {
      signal: request.signal,
      services: {},
      input: async () => input,
      [Symbol.asyncDispose]: () => context[Symbol.asyncDispose](),
    };
  } catch (error) {
    await context[Symbol.asyncDispose]();
    throw error;
  }
}

async function openContext(
  { engine, uploads }: BuildSources,
  request: RequestContext,
  signal: AbortSignal,
): Promise<OpenContext> {
  const dockerfile = request.text("dockerfile") || "Dockerfile";
  const sent = request.text("berthcontext");
  if (sent !== "") return engine.builds.contexts.open(sent);
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
  if (remote !== "") throw new NotImplementedError(`building from ${remote} is not supported yet: send the context`);
  return engine.builds.contextFromTar(request.request, dockerfile);
}

function inputOf(context: OpenContext, dockerfileName: string): BuildRequest["input"] {
  return {
    kind: "files",
    dockerfile: context.dockerfile(dockerfileName),
    context: { open: async () => context.files },
  };
}
