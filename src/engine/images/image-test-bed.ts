/** For tests: an engine's image services in a temporary directory, and images made of literal files. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventBus } from "#engine/events.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import { KeyLock } from "#lib/key-lock.ts";
import { SharedWork } from "#lib/shared-work.ts";
import { RegistryClient, type RegistryClientOptions } from "#registry/registry-client.ts";
import type { Digest } from "#spec/digest.ts";
import type { JsonMessage } from "#spec/docker-messages.ts";
import type { ImageConfig } from "#spec/oci-image.ts";
import { BlobStore } from "#store/blob-store.ts";
import { Database } from "#store/database.ts";
import { ImageIndexStore } from "#store/image-index-store.ts";
import { ImageStore } from "#store/image-store.ts";
import { LayerFileStore } from "#store/layer-file-store.ts";
import { createImage } from "./create.ts";
import type { ImageContext, ImageUser } from "./image-context.ts";
import { ProgressReplay } from "./progress.ts";

/** Files of a layer: path → content. */
export type LayerFiles = Readonly<Record<string, string | Uint8Array>>;

export interface ImageTestBed extends AsyncDisposable {
  readonly context: ImageContext;
  readonly layers: LayerFileStore;
  readonly directory: string;
  /** Containers that the services see, by image id. */
  readonly users: Map<Digest, ImageUser[]>;
  /** What progress listeners heard, and the listener. */
  readonly messages: JsonMessage[];
  readonly onProgress: (message: JsonMessage) => void;
}

export interface ImageTestBedOptions extends Partial<RegistryClientOptions> {
  readonly inflate: ImageContext["inflate"];
}

/** Opens a fresh engine; disposing it removes all it has. */
export async function openImageTestBed(options: ImageTestBedOptions): Promise<ImageTestBed> {
  const directory = await mkdtemp(join(tmpdir(), "berth-images-"));
  const database = new Database(join(directory, "berth.db"));
  const layers = new LayerFileStore({ directory: join(directory, "layers"), database });
  const users = new Map<Digest, ImageUser[]>();
  const messages: JsonMessage[] = [];
  const context: ImageContext = {
    database,
    images: new ImageStore(database),
    indexes: new ImageIndexStore(database),
    blobs: new BlobStore(join(directory, "blobs")),
    layers,
    locks: new KeyLock(),
    events: new EventBus(),
    users: {
      usersOf: (image) => users.get(image) ?? [],
      countByImage: () => new Map([...users].map(([id, containers]) => [id, containers.length])),
    },
    registry: new RegistryClient({
      mirrors: [],
      insecureRegistries: [],
      userAgent: "berth-test",
      retryPolicy: { attempts: 4, baseDelay: 5, maxDelay: 2000 },
      ...options,
    }),
    inflate: options.inflate,
    pulls: new SharedWork(() => new ProgressReplay()),
  };
  return {
    context,
    layers,
    directory,
    users,
    messages,
    onProgress: (message) => void messages.push(message),
    [Symbol.asyncDispose]: async () => {
      database[Symbol.dispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Makes an image of layers given as files, under a name. */
export async function makeImage(
  bed: ImageTestBed,
  name: string,
  stack: readonly LayerFiles[],
  overrides: Partial<ImageConfig> = {},
): Promise<Digest> {
  const { layers } = bed.context;
  return layers.withLease(async () => {
    const diffIds: Digest[] = [];
    for (const files of stack) diffIds.push((await layers.ingest(chunksOf(tarOf(files)))).diffId);
    const config: ImageConfig = {
      created: "2024-05-06T07:08:09Z",
      architecture: "amd64",
      os: "linux",
      config: { Env: ["PATH=/bin"], Cmd: ["sh"] },
      rootfs: { type: "layers", diff_ids: diffIds },
      history: stack.map((_, index) => ({ created: "2024-05-06T07:08:09Z", created_by: `step ${index}` })),
      ...overrides,
    };
    return createImage(bed.context, config, [name]);
  });
}

/** A tar of regular files. */
export function tarOf(files: LayerFiles): Buffer {
  const parts = Object.entries(files).flatMap(([path, content]) => {
    const bytes = Buffer.from(content);
    const mtime = { seconds: 1_700_000_000, nanoseconds: 0 };
    const header = tarHeader({ path, type: "file", mode: 0o644, uid: 0, gid: 0, mtime, size: bytes.length });
    return [header, bytes, tarPadding(bytes.length)];
  });
  return Buffer.concat([...parts, TAR_END]);
}

/** Bytes in pieces, as streams come. */
export async function* chunksOf(
  bytes: Uint8Array,
  size: number = 64 * 1024,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** The bytes of a stream, whole. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
