import { randomBytes } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { lchown, lstat, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CacheLocation, CacheReader, CacheWriter } from "#build/shared-cache/shared-cache.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { parseManifestDocument } from "#engine/images/manifest-document.ts";
import { DataLossError, errorCode, errorMessage, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { Digester, digestHex, digestOf } from "#formats/digest.ts";
import type { Digest } from "#spec/digest.ts";
import { type Descriptor, type ImageIndex, MEDIA_TYPE } from "#spec/oci-image.ts";
import { gzipStream } from "#store/blob-gzip.ts";
import type { Layer } from "#store/layer-store.ts";
import { ingestLayer } from "./ingest-cached-layer.ts";

/** The name of a manifest in an index of a layout. https://github.com/opencontainers/image-spec/blob/main/annotations.md */
const REF_NAME = "org.opencontainers.image.ref.name";
const MAX_DOCUMENT = 64 * 1024 * 1024;

type LocalLocation = Extract<CacheLocation, { readonly type: "local" }>;

/** A cache in an OCI image layout, as BuildKit's `type=local` writes it. https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
export class LocalCacheReader implements CacheReader {
  readonly #images: ImageContext;
  readonly #location: LocalLocation;

  constructor(images: ImageContext, location: LocalLocation) {
    this.#images = images;
    this.#location = location;
  }

  async manifest(digest?: Digest): Promise<{ readonly bytes: Uint8Array; readonly mediaType: string }> {
    const { directory, tag, digest: wanted } = this.#location;
    const named = digest ?? wanted;
    if (named) return { bytes: await this.#proven(named), mediaType: "" };
    const index = await readIndex(directory);
    if (!index) throw new NotFoundError(`no build cache in ${directory}: it has no index.json`);
    const found = index.manifests.find(({ annotations }) => annotations?.[REF_NAME] === tag) ?? onlyOne(index);
    if (!found) throw new NotFoundError(`no build cache "${tag}" in ${directory}`);
    return { bytes: await this.#proven(found.digest), mediaType: found.mediaType };
  }

  document(descriptor: Descriptor): Promise<Uint8Array> {
    return this.#proven(descriptor.digest);
  }

  layer(diffId: Digest, blob: Descriptor, signal: AbortSignal): Promise<Layer> {
    const path = blobPath(this.#location.directory, blob.digest);
    return ingestLayer(
      this.#images,
      diffId,
      blob,
      () => createReadStream(path, { highWaterMark: 1024 * 1024 }),
      signal,
    );
  }

  async #proven(digest: Digest): Promise<Uint8Array> {
    const path = blobPath(this.#location.directory, digest);
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) throw new NotFoundError(`no blob ${digest} in ${this.#location.directory}`);
    if (found.size > MAX_DOCUMENT) throw new InvalidParameterError(`blob ${digest} is too large: ${found.size} bytes`);
    const bytes = await readFile(path);
    if (digestOf(bytes) !== digest) throw new DataLossError(`blob ${digest} in ${this.#location.directory} is damaged`);
    return bytes;
  }
}

/** Writes such a layout; blobs that are there stay, those that only an older cache of the tag named too. */
export class LocalCacheWriter implements CacheWriter {
  readonly #images: ImageContext;
  readonly #location: LocalLocation;
  readonly #owner: { readonly uid: number; readonly gid: number };
  readonly #signal: AbortSignal;

  private constructor(
    images: ImageContext,
    location: LocalLocation,
    owner: { readonly uid: number; readonly gid: number },
    signal: AbortSignal,
  ) {
    this.#images = images;
    this.#location = location;
    this.#owner = owner;
    this.#signal = signal;
  }

  /** Makes the directory, whose owner is that of the one above it: the engine is root, its clients need not be. Throws for a link. */
  static async open(images: ImageContext, location: LocalLocation, signal: AbortSignal): Promise<LocalCacheWriter> {
    const { directory } = location;
    const above = await stat(dirname(directory)).catch(() => undefined);
    if (!above?.isDirectory())
      throw new NotFoundError(`cannot write a build cache to ${directory}: ${dirname(directory)} is no directory`);
    const owner = { uid: above.uid, gid: above.gid };
    const writer = new LocalCacheWriter(images, location, owner, signal);
    for (const path of [directory, join(directory, "blobs"), join(directory, "blobs/sha256")])
      await writer.#directory(path);
    await writer.#write(join(directory, "oci-layout"), Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
    return writer;
  }

  async has({ digest }: Descriptor): Promise<boolean> {
    return existsSync(blobPath(this.#location.directory, digest));
  }

  async add(layer: Layer): Promise<Descriptor> {
    const gzipped = this.#images.layers.blobsOf(layer.diffId).filter(({ mediaType }) => /gzip$/.test(mediaType));
    for (const { digest, size } of gzipped) {
      if (existsSync(blobPath(this.#location.directory, digest)))
        return { mediaType: MEDIA_TYPE.ociLayerGzip, digest, size };
    }
    const temporary = this.#temporary();
    try {
      const digester = new Digester();
      const file = await open(temporary, "wx", 0o644);
      await using _file = file;
      for await (const chunk of gzipStream(this.#images.layers.readTar(layer), this.#signal)) {
        digester.update(chunk);
        await file.writeFile(chunk);
      }
      await file.chown(this.#owner.uid, this.#owner.gid);
      const { size } = digester;
      const digest = digester.digest();
      await rename(temporary, blobPath(this.#location.directory, digest));
      const blob = { mediaType: MEDIA_TYPE.ociLayerGzip, digest, size };
      this.#images.layers.addBlob(layer.diffId, blob);
      return blob;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async document(bytes: Uint8Array, digest: Digest): Promise<void> {
    await this.#write(blobPath(this.#location.directory, digest), bytes);
  }

  /** The index names the manifest by the tag; other tags stay. */
  async finish(manifest: Uint8Array, mediaType: string): Promise<void> {
    const { directory, tag } = this.#location;
    const digest = digestOf(manifest);
    await this.document(manifest, digest);
    const others = ((await readIndex(directory))?.manifests ?? []).filter(
      ({ annotations }) => annotations?.[REF_NAME] !== tag,
    );
    const entry: Descriptor = { mediaType, digest, size: manifest.length, annotations: { [REF_NAME]: tag } };
    const index: ImageIndex = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: [...others, entry] };
    await this.#write(join(directory, "index.json"), Buffer.from(JSON.stringify(index)));
  }

  async #directory(path: string): Promise<void> {
    try {
      await mkdir(path, { mode: 0o755 });
      // The directory above is somebody's, who may have put a link in its place by now.
      await lchown(path, this.#owner.uid, this.#owner.gid);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      if (!(await lstat(path)).isDirectory())
        throw new InvalidParameterError(`cannot write a build cache to ${path}: it is no directory`);
    }
  }

  /** Whole or not at all: renamed when it is written. */
  async #write(path: string, bytes: Uint8Array): Promise<void> {
    const temporary = this.#temporary();
    try {
      await writeFile(temporary, bytes, { flag: "wx", mode: 0o644 });
      await lchown(temporary, this.#owner.uid, this.#owner.gid);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  #temporary(): string {
    return join(this.#location.directory, "blobs", `.new-${randomBytes(8).toString("hex")}`);
  }
}

async function readIndex(directory: string): Promise<ImageIndex | undefined> {
  const path = join(directory, "index.json");
  const bytes = await readFile(path).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (!bytes) return undefined;
  try {
    const document = parseManifestDocument(bytes, MEDIA_TYPE.ociIndex, path);
    if (document.kind === "index") return document.index;
  } catch (cause) {
    throw new DataLossError(`${path} is malformed: ${errorMessage(cause)}`, { cause });
  }
  throw new DataLossError(`${path} is malformed: expected an index`);
}

/** A layout of one manifest needs no name. */
function onlyOne({ manifests }: ImageIndex): Descriptor | undefined {
  return manifests.length === 1 ? manifests[0] : undefined;
}

function blobPath(directory: string, digest: Digest): string {
  return join(directory, "blobs/sha256", digestHex(digest));
}
