/** `…/containers/{id}/archive` and `export`: files of containers as tars. */
import { type Decoder, integer, object, text } from "#lib/json-decoder.ts";
import { drain } from "./connection/response-body.ts";
import { containerPath } from "./container-lifecycle.ts";
import type { Engine } from "./engine.ts";

/** What the engine says of a path. */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** Go's os.FileMode. */
  readonly mode: number;
  readonly linkTarget: string;
}

const decodePathStat: Decoder<PathStat> = object<PathStat>(
  { name: text, size: integer, mode: integer, linkTarget: text },
  { name: "", size: 0, mode: 0, linkTarget: "" },
);

/** Bits of Go's os.FileMode: https://pkg.go.dev/io/fs#FileMode */
const MODE_DIRECTORY = 2 ** 31;
const MODE_SYMLINK = 2 ** 27;
const MODE_DEVICE = 2 ** 26;

export function isDirectory({ mode }: PathStat): boolean {
  return hasBit(mode, MODE_DIRECTORY);
}

export function isSymlink({ mode }: PathStat): boolean {
  return hasBit(mode, MODE_SYMLINK);
}

export function isDevice({ mode }: PathStat): boolean {
  return hasBit(mode, MODE_DEVICE);
}

/** `HEAD /containers/{id}/archive`. A link as last part is not followed. Throws EngineError 404 when there is no such path. */
export async function statContainerPath(engine: Engine, id: string, path: string): Promise<PathStat> {
  const response = await engine.send({ method: "HEAD", path: `${containerPath(id)}/archive`, query: { path } });
  return readStat(response.headers);
}

export interface ContainerArchive {
  readonly stat: PathStat;
  readonly tar: AsyncIterable<Buffer>;
}

/** `GET /containers/{id}/archive`: a path as a tar. */
export async function readContainerPath(
  engine: Engine,
  id: string,
  path: string,
  signal?: AbortSignal,
): Promise<ContainerArchive> {
  const request = { method: "GET", path: `${containerPath(id)}/archive`, query: { path }, signal } as const;
  const { headers, body } = await engine.send(request);
  return { stat: readStat(headers), tar: body };
}

/** `PUT /containers/{id}/archive`: unpacks a tar into a directory. A directory and another kind of file never replace one another. */
export async function writeContainerPath(
  engine: Engine,
  id: string,
  tar: AsyncIterable<Uint8Array>,
  options: { readonly path: string; readonly copyOwner: boolean; readonly signal?: AbortSignal },
): Promise<void> {
  const query = {
    path: options.path,
    noOverwriteDirNonDir: "true",
    copyUIDGID: options.copyOwner ? "true" : undefined,
  };
  await drain(
    await engine.send({
      method: "PUT",
      path: `${containerPath(id)}/archive`,
      query,
      body: { bytes: tar, type: "application/x-tar" },
      signal: options.signal,
    }),
  );
}

/** `GET /containers/{id}/export`: the whole root filesystem as a tar. */
export async function exportContainer(
  engine: Engine,
  id: string,
  signal?: AbortSignal,
): Promise<AsyncIterable<Buffer>> {
  return (await engine.send({ method: "GET", path: `${containerPath(id)}/export`, signal })).body;
}

function readStat(headers: Readonly<Record<string, string>>): PathStat {
  const header = headers["x-docker-container-path-stat"] ?? "";
  const parsed: unknown = JSON.parse(Buffer.from(header, "base64").toString("utf8") || "{}");
  return decodePathStat(parsed, "X-Docker-Container-Path-Stat");
}

function hasBit(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1;
}
