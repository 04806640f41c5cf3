import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Engine } from "#engine/engine.ts";
import { askImageFiles, type ImageFiles, type TreeFile } from "#engine/images/image-files.ts";
import { pathMatcher } from "#formats/path-match.ts";
import type { StatSchema } from "#proto/fsutil_pb.ts";
import type { ReadDirRequest, ReadFileRequest, StatFileRequest } from "#proto/gateway_pb.ts";
import type { Digest } from "#spec/digest.ts";
import { goFileModeOf } from "../files/go-file-mode.ts";

/** One message's worth. */
const MAX_FILE = 16 * 1024 * 1024;

/** Reads from the files of a result, an image of the engine's. Throws NotFoundError, InvalidParameterError. */
export async function readResultFile(
  engine: Engine,
  image: Digest,
  { filePath, range }: ReadFileRequest,
): Promise<Uint8Array> {
  const [offset, length] = [Number(range?.offset ?? 0n), Number(range?.length ?? 0n)];
  return await ask(engine, image, (files) => files.read(filePath, { offset, length, most: MAX_FILE }));
}

/** The entries of a directory whose names `includePattern` matches. Throws as above. */
export async function readResultDirectory(
  engine: Engine,
  image: Digest,
  { dirPath, includePattern }: ReadDirRequest,
): Promise<MessageInitShape<typeof StatSchema>[]> {
  const entries = await ask(engine, image, (files) => files.list(dirPath));
  const wanted = includePattern === "" ? undefined : pathMatcher(includePattern);
  return entries.filter(({ name }) => wanted?.(name) ?? true).map(statOf);
}

export async function statResultFile(
  engine: Engine,
  image: Digest,
  { path }: StatFileRequest,
): Promise<MessageInitShape<typeof StatSchema>> {
  return statOf(await ask(engine, image, (files) => files.stat(path)));
}

function ask<T>({ images, containers }: Engine, image: Digest, question: (files: ImageFiles) => T): Promise<T> {
  return askImageFiles(images, containers.snapshotter, image, question);
}

function statOf({ name, mode, uid, gid, size, mtime, linkname }: TreeFile): MessageInitShape<typeof StatSchema> {
  return { path: name, mode: goFileModeOf(mode), uid, gid, size: BigInt(size), modTime: mtime, linkname };
}
