import type { BuiltImage } from "#build/builder.ts";
import { imageRootTar } from "#engine/images/archive/root-tar.ts";
import { inTotoStatement, type Subject } from "#engine/images/attestation-manifest.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { Digester } from "#formats/digest.ts";
import { formatPlatform } from "#formats/platform.ts";
import { tarText } from "#formats/tar/tar-entry.ts";
import { readTar } from "#formats/tar/tar-reader.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import type { Snapshotter } from "#snapshot/snapshotter.ts";
import type { Attester } from "../attestations/attester.ts";

export interface RootsTarOptions {
  /** Each platform's files in a directory of their own, `linux_arm64`; else all in one. */
  readonly isSplit: boolean;
  readonly signal: AbortSignal;
  /** Says where the files come from and what is in them, in `provenance.json` and `sbom.spdx.json` beside them. */
  readonly attester: Attester | undefined;
}

/**
 * The files of a build's images as one tar. Throws InvalidParameterError, in BuildKit's words, when two platforms have the same file and all
 * are to be in one directory; else as `imageRootTar`.
 */
export async function* rootsTar(
  context: ImageContext,
  snapshotter: Pick<Snapshotter, "view">,
  images: readonly BuiltImage[],
  { isSplit, signal, attester }: RootsTarOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const [only] = images;
  if (only && images.length === 1 && !isSplit && !attester) {
    yield* imageRootTar(context, snapshotter, only.id, { signal });
    return;
  }
  const seen = new Map<string, string>();
  for (const image of images) {
    const platform = formatPlatform(image.platform);
    const directory = platform.replaceAll("/", "_");
    const options = { signal, ...(isSplit ? { name: directory } : {}) };
    if (isSplit && !attester) yield* imageRootTar(context, snapshotter, image.id, { ...options, isFollowed: true });
    else {
      const tar = imageRootTar(context, snapshotter, image.id, options);
      const ending = isSplit || images.length === 1 ? "json" : `${directory}.json`;
      const place = { ending, prefix: isSplit ? `${directory}/` : "" };
      yield* merged(attester ? attested(tar, attester, image, place) : tar, platform, seen);
    }
  }
  yield TAR_END;
}

/** A tar with statements about its files, whose names are told without the prefix. */
async function* attested(
  tar: AsyncIterable<Uint8Array>,
  attester: Attester,
  image: BuiltImage,
  { ending, prefix }: { readonly ending: string; readonly prefix: string },
): AsyncGenerator<Uint8Array, void, void> {
  const subjects: Subject[] = [];
  for await (const { entry, body } of readTar(tar)) {
    yield tarHeader(entry);
    if (entry.type !== "file") continue;
    const digester = new Digester();
    for await (const chunk of body) {
      digester.update(chunk);
      yield chunk;
    }
    yield tarPadding(entry.size);
    subjects.push({ name: tarText(entry.path).slice(prefix.length), digest: digester.digest() });
  }
  const mtime = { seconds: Math.floor(attester.finished / 1000), nanoseconds: 0 };
  for (const { name, predicate } of attester.of(image)) {
    const bytes = inTotoStatement(predicate, subjects);
    const path = `${prefix}${name}.${ending}`;
    yield tarHeader({ path, type: "file", mode: 0o600, uid: 0, gid: 0, mtime, size: bytes.length });
    yield bytes;
    yield tarPadding(bytes.length);
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
