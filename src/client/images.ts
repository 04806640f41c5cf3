/** `/images/…`: list, inspect, history, tag, remove; and `POST /commit`. */
import { parsePlatform } from "#formats/platform.ts";
import type { HistoryItem, ImageDeleteItem, ImageInspect, ImageSummary, SearchResult } from "#spec/docker-images.ts";
import { drain, readJson } from "./connection/response-body.ts";
import type { Engine } from "./engine.ts";
import { encodeFilters, type Filters } from "./filters.ts";
import { pathName } from "./path-name.ts";

/** `GET /images/json`. */
export async function listImages(
  engine: Engine,
  options: {
    readonly all?: boolean;
    readonly filters?: Filters;
    readonly sharedSize?: boolean;
    readonly manifests?: boolean;
  } = {},
): Promise<readonly ImageSummary[]> {
  const query = {
    all: options.all,
    filters: encodeFilters(options.filters),
    "shared-size": options.sharedSize,
    manifests: options.manifests,
  };
  return readJson(await engine.send({ method: "GET", path: "/images/json", query }));
}

/** `GET /images/{name}/json`. `platform` is as people write it: `linux/arm64`. */
export async function inspectImage(engine: Engine, name: string, platform?: string): Promise<ImageInspect> {
  const query = { platform: encodePlatform(platform) };
  return readJson(await engine.send({ method: "GET", path: `${imagePath(name)}/json`, query }));
}

/** `GET /images/{name}/history`, newest first. */
export async function imageHistory(engine: Engine, name: string, platform?: string): Promise<readonly HistoryItem[]> {
  const query = { platform: encodePlatform(platform) };
  return readJson(await engine.send({ method: "GET", path: `${imagePath(name)}/history`, query }));
}

/** As {@link encodePlatform}, for parameters that repeat. */
export function encodePlatforms(platforms: readonly string[] = []): readonly string[] {
  return platforms.flatMap((platform) => encodePlatform(platform) ?? []);
}

/** `linux/arm64` as the JSON that the API wants; undefined for "". Throws InvalidParameterError. */
export function encodePlatform(platform: string | undefined): string | undefined {
  return platform ? JSON.stringify(parsePlatform(platform)) : undefined;
}

/** `POST /images/{name}/tag`. */
export async function tagImage(engine: Engine, name: string, repository: string, tag: string): Promise<void> {
  const query = { repo: repository, tag: tag || undefined };
  await drain(await engine.send({ method: "POST", path: `${imagePath(name)}/tag`, query }));
}

/** `DELETE /images/{name}`: what was untagged and deleted, in order. */
export async function removeImage(
  engine: Engine,
  name: string,
  options: { readonly force?: boolean; readonly noPrune?: boolean; readonly platforms?: readonly string[] } = {},
): Promise<readonly ImageDeleteItem[]> {
  const platforms = encodePlatforms(options.platforms);
  const query = { force: options.force, noprune: options.noPrune, platforms };
  return readJson(await engine.send({ method: "DELETE", path: imagePath(name), query }));
}

export interface CommitOptions {
  readonly container: string;
  readonly repository?: string | undefined;
  readonly tag?: string | undefined;
  readonly comment?: string | undefined;
  readonly author?: string | undefined;
  readonly changes?: readonly string[];
  readonly pause: boolean;
}

/** `POST /commit`: the id of the new image. */
export async function commitContainer(engine: Engine, options: CommitOptions): Promise<string> {
  const query = {
    container: options.container,
    repo: options.repository,
    tag: options.tag,
    comment: options.comment || undefined,
    author: options.author || undefined,
    changes: options.changes,
    pause: options.pause ? undefined : "0",
  };
  const response = await engine.send({ method: "POST", path: "/commit", query, body: { json: {} } });
  return (await readJson<{ readonly Id: string }>(response)).Id;
}

/** `GET /images/search`. */
export async function searchImages(
  engine: Engine,
  options: {
    readonly term: string;
    /** 0: the engine's default. */
    readonly limit: number;
    readonly filters: Filters;
    readonly auth: string | undefined;
  },
): Promise<readonly SearchResult[]> {
  const query = { term: options.term, limit: options.limit || undefined, filters: encodeFilters(options.filters) };
  const headers = options.auth ? { "X-Registry-Auth": options.auth } : {};
  return readJson(await engine.send({ method: "GET", path: "/images/search", query, headers }));
}

/** `/images/{name}`. Slashes of the name stay: the API takes names of several parts. */
export function imagePath(name: string): string {
  return `/images/${pathName("image", name)}`;
}
