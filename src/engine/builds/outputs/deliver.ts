import type { RegistryLogins } from "#build/build-client.ts";
import type { BuiltImage } from "#build/builder.ts";
import type { ScanTargets } from "#build/graph/scan-targets.ts";
import { BuildProgress, type VertexProgress } from "#build/solve/progress.ts";
import type { Engine } from "#engine/engine.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import type { TwiceReport } from "#spec/build-twice.ts";
import type { Digest } from "#spec/digest.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { SolveStatus } from "#spec/solve-status.ts";
import { type Attester, attesterFor } from "../attestations/attester.ts";
import type { BuildOutput } from "./build-output.ts";
import { type ExportedImages, withExportedImages } from "./exported-images.ts";
import { imageArchive } from "./image-archive.ts";
import { keepAttestations } from "./keep-attestations.ts";
import { pushOutput } from "./push-output.ts";
import { rootsTar } from "./roots-tar.ts";

/** Takes what is for the client. */
export interface OutputSink {
  /** Hands over one output, by its place among those asked for; resolves when the client has all of it. Throws when it fails or goes. */
  send(index: number, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /** The same for files of type `local`, as a tar that can be opened again. */
  sendFiles(index: number, open: () => AsyncIterable<Uint8Array>): Promise<void>;
}

/** What a build made. */
export interface BuiltResult {
  /** What names mean without a platform. */
  readonly imageId: Digest;
  /** One a platform. */
  readonly images: readonly BuiltImage[];
  /** What else an SBOM is to be about. */
  readonly scanTargets: ScanTargets;
}

export interface DeliveryOptions {
  readonly outputs: readonly BuildOutput[];
  readonly sink: OutputSink;
  readonly temporaryDirectory: string;
  readonly logins: RegistryLogins | undefined;
  readonly onStatus: (status: SolveStatus) => void;
  readonly signal: AbortSignal;
  /** Of a build that is to say where its images come from. */
  readonly attester?: Attester | undefined;
}

/** What the client is told of the result. */
export interface Delivered {
  /** Of a build that was asked whether it gives the same again. */
  readonly twice?: TwiceReport;
  /** The manifest or index that went out last; absent when none did. */
  readonly descriptor?: Descriptor;
}

type Parts = Pick<Engine, "images" | "containers">;

/** Brings a build's images wherever they are wanted, one output after the other. Throws what pushing and the client throw. */
export async function deliverOutputs(parts: Parts, built: BuiltResult, options: DeliveryOptions): Promise<Delivered> {
  const progress = new BuildProgress(options.onStatus);
  let delivered: Delivered = {};
  try {
    for (const [index, output] of options.outputs.entries()) {
      const descriptor = await deliver(parts, built, { ...options, output, index, progress });
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

async function deliver(parts: Parts, built: BuiltResult, delivery: Delivery): Promise<Descriptor | undefined> {
  const { output, progress, index, sink } = delivery;
  switch (output.kind) {
    case "cacheonly":
      return undefined;
    case "local":
    case "tar": {
      const isLocal = output.kind === "local";
      const name = isLocal ? "exporting to client directory" : "exporting to client tarball";
      const { signal, attester } = delivery;
      const options = { isSplit: output.isSplit, signal, attester: attesterFor(attester, output.attested) };
      const files = (): AsyncIterable<Uint8Array> =>
        rootsTar(parts.images, parts.containers.snapshotter, built.images, options);
      await progress.run(name, (vertex) =>
        isLocal
          ? sink.sendFiles(index, () => counted(files(), "copying files", vertex))
          : sink.send(index, counted(files(), "sending tarball", vertex)),
      );
      return undefined;
    }
    case "oci":
    case "docker":
      return await progress.run(`exporting to ${output.kind === "oci" ? "oci" : "docker"} image format`, (vertex) =>
        sendArchive(parts.images, built, { ...delivery, output }, vertex),
      );
    case "image": {
      const attester = attesterFor(delivery.attester, output.attested);
      let descriptor: Descriptor | undefined;
      if (!output.push && output.isStored && output.names.length > 0 && attester)
        descriptor = await progress.run("exporting attestations", (vertex) =>
          keepAttestations(parts.images, built, { output, attester, vertex }),
        );
      for (const name of output.push ? output.names : []) {
        descriptor = await progress.run(`pushing ${name}`, (vertex) =>
          pushOutput(parts.images, built, { ...delivery, output, name, attester }, vertex),
        );
      }
      return descriptor;
    }
  }
}

async function sendArchive(
  context: ImageContext,
  { images }: BuiltResult,
  delivery: Delivery & { readonly output: Extract<BuildOutput, { readonly kind: "oci" | "docker" }> },
  vertex: VertexProgress,
): Promise<Descriptor> {
  const { output, index, sink } = delivery;
  const { temporaryDirectory, signal } = delivery;
  const attester = attesterFor(delivery.attester, output.attested);
  return await withExportedImages(
    context,
    images,
    output,
    { temporaryDirectory, signal, attester },
    async (exported) => {
      tellManifests(exported, vertex);
      const archive = imageArchive(exported, { names: output.names, forDocker: output.kind === "docker" });
      await sink.send(index, counted(archive, "sending tarball", vertex));
      return exported.top.descriptor;
    },
  );
}

function tellManifests({ images, attestations, index }: ExportedImages, vertex: VertexProgress): void {
  vertex.status("exporting layers");
  for (const { manifest, id } of images) {
    vertex.status(`exporting manifest ${manifest.descriptor.digest}`);
    vertex.status(`exporting config ${id}`);
  }
  for (const { manifest } of attestations)
    vertex.status(`exporting attestation manifest ${manifest.descriptor.digest}`);
  if (index) vertex.status(`exporting manifest list ${index.descriptor.digest}`);
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
