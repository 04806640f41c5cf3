/** Pull, push, load and save: the streams of images. */
import type { JsonMessage } from "#spec/docker-messages.ts";
import { readJsonLines } from "./connection/response-body.ts";
import type { Engine, EngineResponse } from "./engine.ts";
import { encodePlatform, encodePlatforms, imagePath } from "./images.ts";

/** The header that carries registry credentials, base64url JSON. Empty when there are none. */
export type RegistryAuth = string | undefined;

export interface PullOptions {
  /** Familiar repository name. */
  readonly name: string;
  /** Tag or digest; empty for all tags. */
  readonly tag: string;
  readonly platform?: string | undefined;
  readonly auth?: RegistryAuth;
  readonly signal?: AbortSignal | undefined;
}

/** `POST /images/create`: the messages of the pull as they come. */
export async function* pullImage(engine: Engine, options: PullOptions): AsyncGenerator<JsonMessage, void, void> {
  const response = await engine.send({
    method: "POST",
    path: "/images/create",
    query: { fromImage: options.name, tag: options.tag || undefined, platform: options.platform || undefined },
    headers: authHeader(options.auth),
    signal: options.signal,
  });
  yield* readJsonLines<JsonMessage>(response);
}

/** `POST /images/create?fromSrc=`: makes an image of a tar; yields progress, then its id as a status. */
export async function* importImage(
  engine: Engine,
  options: {
    /** `-` for `body`, or the URL that the engine is to fetch. */
    readonly source: string;
    readonly body: AsyncIterable<Uint8Array> | undefined;
    readonly name: string;
    readonly message: string;
    readonly changes: readonly string[];
    readonly platform: string;
    readonly signal?: AbortSignal | undefined;
  },
): AsyncGenerator<JsonMessage, void, void> {
  const response = await engine.send({
    method: "POST",
    path: "/images/create",
    query: {
      fromSrc: options.source,
      repo: options.name || undefined,
      message: options.message || undefined,
      changes: options.changes,
      platform: options.platform || undefined,
    },
    ...(options.body ? { body: { bytes: options.body, type: "text/plain" } } : {}),
    signal: options.signal,
  });
  yield* readJsonLines<JsonMessage>(response);
}

/** `POST /images/{name}/push`. */
export async function* pushImage(
  engine: Engine,
  options: {
    readonly name: string;
    readonly tag: string;
    readonly platform?: string | undefined;
    readonly auth?: RegistryAuth;
    readonly signal?: AbortSignal | undefined;
  },
): AsyncGenerator<JsonMessage, void, void> {
  const response = await engine.send({
    method: "POST",
    path: `${imagePath(options.name)}/push`,
    query: { tag: options.tag || undefined, platform: encodePlatform(options.platform) },
    // The engine insists on the header, even empty.
    headers: { "X-Registry-Auth": options.auth ?? Buffer.from("{}").toString("base64url") },
    signal: options.signal,
  });
  yield* readJsonLines<JsonMessage>(response);
}

/** `POST /images/load`: sends a tar, yields what was loaded. */
export async function* loadImages(
  engine: Engine,
  tar: AsyncIterable<Uint8Array>,
  options: { readonly quiet: boolean; readonly platforms?: readonly string[] },
): AsyncGenerator<JsonMessage, void, void> {
  const response = await engine.send({
    method: "POST",
    path: "/images/load",
    query: { quiet: options.quiet ? "1" : "0", platform: encodePlatforms(options.platforms) },
    body: { bytes: tar, type: "application/x-tar" },
  });
  yield* readJsonLines<JsonMessage>(response);
}

/** `GET /images/get`: a tar of the named images. */
export function saveImages(
  engine: Engine,
  names: readonly string[],
  platforms: readonly string[] = [],
): Promise<EngineResponse> {
  const query = { names, platform: encodePlatforms(platforms) };
  return engine.send({ method: "GET", path: "/images/get", query });
}

function authHeader(auth: RegistryAuth): Readonly<Record<string, string>> {
  return auth ? { "X-Registry-Auth": auth } : {};
}
