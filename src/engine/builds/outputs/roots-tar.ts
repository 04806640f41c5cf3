import type { BuiltImage } from "#build/builder.ts";
import { imageRootTar } from "#engine/images/archive/root-tar.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { formatPlatform } from "#formats/platform.ts";
import { tarText } from "#formats/tar/tar-entry.ts";
import { readTar } from "#formats/tar/tar-reader.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import type { Snapshotter } from "#snapshot/snapshotter.ts";

export interface RootsTarOptions {
  /** Each platform's files in a directory of their own, `linux_arm64`; else all in one. */
  readonly isSplit: boolean;
  readonly signal: AbortSignal;
}

/**
 * The files of a build's images as one tar. Throws InvalidParameterError, in BuildKit's words, when two platforms have the same file and all
 * are to be in one directory; else as `imageRootTar`.
 */
export async function* rootsTar(
  context: ImageContext,
  snapshotter: Pick<Snapshotter, "view">,
  images: readonly BuiltImage[],
  { isSplit, signal }: RootsTarOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const [only] = images;
  if (only && images.length === 1 && !isSplit) {
    yield* imageRootTar(context, snapshotter, only.id, { signal });
    return;
  }
  const seen = new Map<string, string>();
  for (const { id, platform } of images) {
    const name = formatPlatform(platform);
    const options = { signal, isFollowed: true };
    if (isSplit) yield* imageRootTar(context, snapshotter, id, { ...options, name: name.replaceAll("/", "_") });
    else yield* merged(imageRootTar(context, snapshotter, id, { signal }), name, seen);
  }
  yield TAR_END;
}

/** The entries of a tar without its end; directories that were there before are left out. */
async function* merged(
  tar: AsyncIterable<Uint8Array>,
  platform: string,
  seen: Map<string, string>,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const { entry, body } of readTar(tar)) {
    const path = tarText(entry.path);
    const before = seen.get(path);
    if (before !== undefined && entry.type === "directory") continue;
    if (before !== undefined) {
      throw new InvalidParameterError(
        `cannot overwrite ${path} from ${before} with ${platform} when split option is disabled`,
      );
    }
    seen.set(path, platform);
    yield tarHeader(entry);
    if (entry.size === 0) continue;
    yield* body;
    yield tarPadding(entry.size);
  }
}
