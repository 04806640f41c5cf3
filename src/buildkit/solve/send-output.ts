import type { Engine } from "#engine/engine.ts";
import { imageRootTar } from "#engine/images/archive/root-tar.ts";
import { saveImages } from "#engine/images/archive/save.ts";
import { removeImage } from "#engine/images/remove.ts";
import { digestOf } from "#formats/digest.ts";
import type { Digest } from "#spec/digest.ts";
import type { SolveStatus } from "#spec/solve-status.ts";
import { sendDirectory } from "../files/send-directory.ts";
import { sendFile } from "../files/send-file.ts";
import type { Session } from "../session/session.ts";
import type { SolveExporter } from "./solve-exporter.ts";

export interface OutputJob {
  readonly engine: Engine;
  readonly session: Session;
  readonly exporter: SolveExporter;
  readonly onStatus: (status: SolveStatus) => void;
  readonly signal: AbortSignal;
  /** Unnamed images of before the build, see {@link unnamedImages}. */
  readonly before: ReadonlySet<Digest>;
}

/** The images that nobody may take away for having no name: they were there before a build whose result is no image. */
export function unnamedImages(engine: Engine, { kind }: SolveExporter): ReadonlySet<Digest> {
  if (kind === "image") return new Set();
  return new Set(
    engine.images.images.list().flatMap(({ image, references }) => (references.length > 0 ? [] : image.id)),
  );
}

const VERTEX = {
  archive: "exporting to docker image format",
  tar: "exporting to client tarball",
  directory: "exporting to client directory",
};

/** Brings a build's image where the client wants it. An image that was made only for that goes again. Throws what the client answers. */
export async function sendOutput(job: OutputJob, image: Digest): Promise<void> {
  const { kind } = job.exporter;
  try {
    if (kind !== "image" && kind !== "none") await asVertex(VERTEX[kind], job.onStatus, () => send(job, kind, image));
  } finally {
    if (kind !== "image" && job.exporter.tags.length === 0) await removeUnnamed(job, image);
  }
}

async function send(
  { engine, session, exporter, signal }: OutputJob,
  kind: "archive" | "tar" | "directory",
  image: Digest,
): Promise<void> {
  const { images, containers } = engine;
  if (kind === "archive") {
    const names = exporter.tags.length > 0 ? exporter.tags : [image];
    return sendFile(session, await saveImages(images, names, { signal }), signal);
  }
  const root = (): AsyncIterable<Uint8Array> => imageRootTar(images, containers.snapshotter, image, { signal });
  return kind === "tar" ? sendFile(session, root(), signal) : sendDirectory(session, root, signal);
}

/** An image that has a name, that a container uses, or that was there before stays. */
async function removeUnnamed({ engine, before }: OutputJob, image: Digest): Promise<void> {
  const isUsed = before.has(image) || engine.containers.containers.list().some(({ imageId }) => imageId === image);
  if (isUsed || engine.images.images.names(image).references.length > 0) return;
  await removeImage(engine.images, image, { force: false });
}

async function asVertex(name: string, onStatus: OutputJob["onStatus"], work: () => Promise<void>): Promise<void> {
  const vertex = { digest: digestOf(name), name, started: new Date().toISOString() };
  const tell = (error?: string): void =>
    onStatus({
      vertexes: [{ ...vertex, completed: new Date().toISOString(), ...(error === undefined ? {} : { error }) }],
    });
  onStatus({ vertexes: [vertex] });
  try {
    await work();
    tell();
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
    throw error;
  }
}
