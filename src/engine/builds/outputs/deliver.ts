import type { RegistryLogins } from "#build/build-client.ts";
import { BuildProgress, type VertexProgress } from "#build/solve/progress.ts";
import type { Engine } from "#engine/engine.ts";
import { imageRootTar } from "#engine/images/archive/root-tar.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { LocalImages } from "#engine/images/lookup.ts";
import { pushImage } from "#engine/images/registry/push.ts";
import { SystemError } from "#errors/errors.ts";
import { parseReference, tagNameOnly } from "#formats/reference.ts";
import type { Credentials } from "#registry/credentials.ts";
import type { TwiceReport } from "#spec/build-twice.ts";
import type { Digest } from "#spec/digest.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { SolveStatus } from "#spec/solve-status.ts";
import type { BuildOutput, ImageForm } from "./build-output.ts";
import { type ArchivedImage, type ImageManifest, imageArchive, imageManifest } from "./image-archive.ts";
import { layerBlobs } from "./layer-blobs.ts";

/** Takes what is for the client. */
export interface OutputSink {
  /** Hands over one output, by its place among those asked for; resolves when the client has all of it. Throws when it fails or goes. */
  send(index: number, bytes: AsyncIterable<Uint8Array>): Promise<void>;
}

export interface DeliveryOptions {
  readonly outputs: readonly BuildOutput[];
  readonly sink: OutputSink;
  readonly temporaryDirectory: string;
  readonly logins: RegistryLogins | undefined;
  readonly onStatus: (status: SolveStatus) => void;
  readonly signal: AbortSignal;
}

/** What the client is told of the result. */
export interface Delivered {
  /** Of a build that was asked whether it gives the same again. */
  readonly twice?: TwiceReport;
  /** The manifest that went out last; absent when none did. */
  readonly descriptor?: Descriptor;
}

type Parts = Pick<Engine, "images" | "containers">;

/** Brings a build's image wherever it is wanted, one output after the other. Throws what pushing and the client throw. */
export async function deliverOutputs(parts: Parts, image: Digest, options: DeliveryOptions): Promise<Delivered> {
  const progress = new BuildProgress(options.onStatus);
  let delivered: Delivered = {};
  try {
    for (const [index, output] of options.outputs.entries()) {
      const descriptor = await deliver(parts, image, { ...options, output, index, progress });
      if (descriptor) delivered = { descriptor };
    }
  } finally {
    progress.cancelOpen();
  }
  return delivered;
}

interface Delivery extends DeliveryOptions {
  readonly output: BuildOutput;
  readonly index: number;
  readonly progress: BuildProgress;
}

async function deliver(parts: Parts, image: Digest, delivery: Delivery): Promise<Descriptor | undefined> {
  const { output, progress, index, sink, signal } = delivery;
  const root = (): AsyncIterable<Uint8Array> => imageRootTar(parts.images, parts.containers.snapshotter, image, signal);
  switch (output.kind) {
    case "cacheonly":
      return undefined;
    case "local":
      await progress.run("exporting to client directory", (vertex) =>
        sink.send(index, counted(root(), "copying files", vertex)),
      );
      return undefined;
    case "tar":
      await progress.run("exporting to client tarball", (vertex) =>
        sink.send(index, counted(root(), "sending tarball", vertex)),
      );
      return undefined;
    case "oci":
    case "docker":
      return await progress.run(`exporting to ${output.kind === "oci" ? "oci" : "docker"} image format`, (vertex) =>
        sendArchive(parts.images, image, { ...delivery, output }, vertex),
      );
    case "image": {
      let descriptor: Descriptor | undefined;
      for (const name of output.push ? output.names : []) {
        descriptor = await progress.run(`pushing ${name}`, (vertex) =>
          push(parts.images, image, { ...delivery, output, name }, vertex),
        );
      }
      return descriptor;
    }
  }
}

async function sendArchive(
  context: ImageContext,
  id: Digest,
  delivery: Delivery & { readonly output: Extract<BuildOutput, { readonly kind: "oci" | "docker" }> },
  vertex: VertexProgress,
): Promise<Descriptor> {
  const { output, index, sink } = delivery;
  return await withManifest(context, id, output, delivery, async (image, manifest) => {
    tellManifest(manifest, id, vertex);
    const archive = imageArchive(image, manifest, { names: output.names, forDocker: output.kind === "docker" });
    await sink.send(index, counted(archive, "sending tarball", vertex));
    return manifest.descriptor;
  });
}

function tellManifest({ descriptor }: ImageManifest, config: Digest, vertex: VertexProgress): void {
  vertex.status("exporting layers");
  vertex.status(`exporting manifest ${descriptor.digest}`);
  vertex.status(`exporting config ${config}`);
}

/** An image with a manifest of its own, for as long as `use` takes. Its layers stay meanwhile. */
async function withManifest<T>(
  context: ImageContext,
  id: Digest,
  form: ImageForm,
  { temporaryDirectory, signal }: Pick<DeliveryOptions, "temporaryDirectory" | "signal">,
  use: (image: ArchivedImage, manifest: ImageManifest) => Promise<T>,
): Promise<T> {
  return await context.layers.withLease(async () => {
    const record = context.images.find(id);
    if (!record) throw new SystemError(`image ${id} is gone: it was removed while it was exported`);
    const layers = new LocalImages(context).layers(id);
    await using blobs = await layerBlobs(layers, context.layers, { form, temporaryDirectory, signal });
    const image = { config: await context.blobs.read(id), platform: record.platform, layers: blobs.blobs };
    return await use(image, imageManifest(image, form));
  });
}

async function push(
  context: ImageContext,
  id: Digest,
  delivery: Delivery & {
    readonly name: string;
    readonly output: Extract<BuildOutput, { readonly kind: "image" }>;
  },
  vertex: VertexProgress,
): Promise<Descriptor | undefined> {
  const { name, output, signal, logins } = delivery;
  const credentials = await logins?.get(parseReference(name).domain, signal);
  const auth = credentials ? { credentials } : {};
  vertex.status("pushing layers");
  const descriptor = output.isSpecial
    ? await pushSpecial(context, id, { ...delivery, ...auth })
    : await pushUsual(context, id, name, { ...auth, signal });
  vertex.status(`pushing manifest for ${name}${descriptor ? `@${descriptor.digest}` : ""}`);
  return descriptor;
}

/** As `docker push`. */
async function pushUsual(
  context: ImageContext,
  id: Digest,
  name: string,
  options: { readonly credentials?: Credentials; readonly signal: AbortSignal },
): Promise<Descriptor | undefined> {
  let pushed: string | undefined;
  await pushImage(context, name, {
    ...options,
    onProgress: ({ aux }) => {
      const found = aux as { readonly Digest?: string } | undefined;
      pushed = found?.Digest ?? pushed;
    },
  });
  const manifest = context.images.find(id)?.manifest;
  if (manifest?.size === undefined || manifest.digest !== pushed) return undefined;
  const { digest, mediaType, size } = manifest;
  return { mediaType, digest, size };
}

/** With a manifest and layers made for this output. */
async function pushSpecial(
  context: ImageContext,
  id: Digest,
  delivery: Delivery & {
    readonly name: string;
    readonly output: ImageForm;
    readonly credentials?: Credentials;
  },
): Promise<Descriptor> {
  const { name, output, signal, credentials } = delivery;
  const reference = tagNameOnly(parseReference(name));
  const writer = await context.registry.writer(reference, { ...(credentials ? { credentials } : {}), signal });
  return await withManifest(context, id, output, delivery, async (image, manifest) => {
    for (const { descriptor, open } of image.layers) {
      const { digest } = descriptor;
      if (!(await writer.hasBlob(digest, signal))) await writer.uploadBlob({ open, digest: () => digest }, signal);
    }
    if (!(await writer.hasBlob(id, signal))) await writer.uploadSmallBlob(image.config, id, signal);
    const { mediaType } = manifest.descriptor;
    await writer.putManifest(reference.tag ?? "latest", manifest.bytes, mediaType, signal);
    return manifest.descriptor;
  });
}

/** Passes bytes on and tells how many they were. */
async function* counted(
  source: AsyncIterable<Uint8Array>,
  id: string,
  vertex: VertexProgress,
): AsyncGenerator<Uint8Array, void, void> {
  const started = new Date().toISOString();
  let current = 0;
  for await (const chunk of source) {
    current += chunk.length;
    yield chunk;
  }
  vertex.status(id, { current, started });
}
