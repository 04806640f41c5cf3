import type { NamedContext, NamedContexts } from "#build/build-client.ts";
import type { BuildRequest } from "#build/builder.ts";
import type { Engine } from "#engine/engine.ts";
import { imageRootTar } from "#engine/images/archive/root-tar.ts";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { isDigest } from "#formats/digest.ts";
import type { Digest } from "#spec/digest.ts";
import { clientBlobs } from "../session/client-content.ts";
import { uploadedTar } from "../session/client-upload.ts";
import type { FrontendBuild } from "./frontend-options.ts";
import type { RunningSolve } from "./running-solve.ts";

/** A tar of the client's standard input, as it names it. */
const UPLOAD = "http://buildkit-session/";

/** Results that a client hands to another solve, by the names that its contexts refer to: images of the engine's. */
export type SolveInputs = Readonly<Record<string, Digest>>;

export interface InputRequest {
  readonly frontend: Pick<FrontendBuild, "contextKey" | "dockerfileKey" | "dockerfileName" | "remote">;
  readonly attributes: Readonly<Record<string, string>>;
  readonly inputs: SolveInputs;
  /** Holds what is opened. */
  readonly stack: AsyncDisposableStack;
}

/**
 * Where Dockerfile and main context come from: directories of the client's, a URL, or the files of another solve's result.
 * https://github.com/moby/buildkit/blob/master/frontend/dockerui/context.go
 */
export async function solveInput(
  engine: Engine,
  running: RunningSolve,
  { frontend, attributes, inputs, stack }: InputRequest,
): Promise<BuildRequest["input"]> {
  const { client, session, signal } = running;
  const { contextKey, dockerfileKey, dockerfileName, remote } = frontend;
  const contextInput = remote.startsWith("input:") ? remote.slice("input:".length) : contextKey;
  if (remote.startsWith("input:") || Object.hasOwn(inputs, contextInput)) {
    const image = resultOf(inputs, contextInput);
    const tar = imageRootTar(engine.images, engine.containers.snapshotter, image, { signal });
    const context = stack.use(await engine.builds.contextFromTar(tar, dockerfileName));
    const own = attributes["dockerfilekey"];
    const dockerfile = own
      ? (await client.files.dockerfile(own, dockerfileName, signal)).bytes
      : context.dockerfile(dockerfileName);
    return { kind: "files", dockerfile, context: { open: async () => context.files } };
  }
  if (remote.startsWith(UPLOAD)) {
    const context = stack.use(await engine.builds.contextFromTar(uploadedTar(session, remote, signal), dockerfileName));
    return {
      kind: "files",
      dockerfile: context.dockerfile(dockerfileName),
      context: { open: async () => context.files },
    };
  }
  if (remote === "") {
    return await client.input(dockerfileName, signal, { context: contextKey, dockerfile: dockerfileKey });
  }
  // The Dockerfile may come from the client all the same.
  const key = attributes["dockerfilekey"];
  if (!key) return { kind: "remote", url: remote };
  const { bytes } = await client.files.dockerfile(key, dockerfileName, signal);
  return { kind: "remote", url: remote, dockerfile: bytes };
}

/** `--build-context`s. Throws InvalidParameterError, NotFoundError. */
export function namedContexts(
  running: RunningSolve,
  contexts: FrontendBuild["contexts"],
  inputs: SolveInputs,
): NamedContexts {
  return Object.fromEntries(
    Object.entries(contexts).map(([name, value]) => [name.toLowerCase(), namedContext(running, name, value, inputs)]),
  );
}

function namedContext(
  { client, session }: RunningSolve,
  name: string,
  value: string,
  inputs: SolveInputs,
): NamedContext {
  const colon = value.indexOf(":");
  const rest = value.slice(colon + 1);
  switch (value.slice(0, colon)) {
    case "local":
      return { kind: "files", files: client.files.context(rest, undefined) };
    case "input":
      return { kind: "image", id: resultOf(inputs, rest) };
    case "oci-layout": {
      // `//STORE[:TAG]@DIGEST`: the store is the client's name for the directory, which has looked up the tag.
      const [, store, digest] = /^\/\/([^@/]+?)(?::[^@:]*)?@(.+)$/.exec(rest) ?? [];
      if (!store || !digest || !isDigest(digest))
        throw new InvalidParameterError(`invalid build context ${name}=${value}: a layout needs a digest`);
      return { kind: "oci-layout", digest, blobs: clientBlobs(session, `oci:${store}`) };
    }
    default:
      return { kind: "url", url: value };
  }
}

function resultOf(inputs: SolveInputs, name: string): Digest {
  const found = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
  if (!found) throw new NotFoundError(`invalid frontend input ${name}: the client has handed over no such result`);
  return found;
}
