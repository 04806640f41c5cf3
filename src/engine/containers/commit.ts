import { changedConfig } from "#build/graph/changed-config.ts";
import { createImage } from "#engine/images/create.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { ConflictError, InvalidParameterError } from "#errors/errors.ts";
import { familiarString, parseReference, tagNameOnly } from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import type { ContainerConfig } from "#spec/docker-containers.ts";
import type { ContainerDefaults, ImageConfig } from "#spec/oci-image.ts";
import type { Layer } from "#store/layer-store.ts";
import type { ContainerContext } from "./container-context.ts";
import { type ContainerRecord, eventAttributes } from "./container-record.ts";

export interface CommitOptions {
  /** "" for an image without a name. */
  readonly repository: string;
  readonly tag: string;
  readonly author: string;
  readonly comment: string;
  /** Hold the container still while its files are read. */
  readonly pause: boolean;
  /** Dockerfile instructions. */
  readonly changes: readonly string[];
  /** Fields of the container's Config to replace. */
  readonly overrides: ContainerConfig;
  readonly signal: AbortSignal;
}

/** Makes an image of a container: the layers of its image, one more with what it changed, and its config. Returns the image id. */
export async function commitContainer(
  context: ContainerContext,
  images: ImageContext,
  nameOrId: string,
  options: CommitOptions,
): Promise<Digest> {
  const tags = commitTags(options);
  const record = context.containers.resolve(nameOrId);
  const { id } = record;
  if (record.state.phase === "removing" || record.state.phase === "dead") {
    throw new ConflictError(`You cannot commit container ${id} which is ${record.state.phase}`);
  }
  const base = context.images.find(record.imageId).config;
  const imageId = await images.layers.withLease(async () => {
    const layer = await heldStill(context, record, options.pause, () =>
      images.layers.ingest(context.snapshotter.diff(id, options.signal), { signal: options.signal }),
    );
    const config = changedConfig(committedConfig(base, record, layer, options), options.changes);
    return createImage(images, config, tags, { parent: record.imageId });
  });
  context.events.publish(
    "container",
    "commit",
    id,
    eventAttributes(record, { comment: options.comment, imageID: imageId, imageRef: tags[0] ?? "" }),
  );
  return imageId;
}

function commitTags({ repository, tag }: CommitOptions): string[] {
  if (repository === "") {
    if (tag !== "") throw new InvalidParameterError("invalid reference format: a tag needs a repository");
    return [];
  }
  return [familiarString(tagNameOnly(parseReference(tag === "" ? repository : `${repository}:${tag}`)))];
}

/** A running container is paused for as long as `read` takes, so that the layer is of one moment. */
async function heldStill<T>(
  context: ContainerContext,
  record: ContainerRecord,
  pause: boolean,
  read: () => Promise<T>,
): Promise<T> {
  return context.locks.run(record.id, async () => {
    const isPaused =
      pause &&
      context.containers.get(record.id).state.phase === "running" &&
      // What cannot be paused is read as it is, as in Docker.
      (await context.runtime.pause(record.id).then(
        () => true,
        () => false,
      ));
    if (isPaused) context.events.publish("container", "pause", record.id, eventAttributes(record));
    try {
      return await read();
    } finally {
      if (isPaused && (await goesOn(context, record.id)))
        context.events.publish("container", "unpause", record.id, eventAttributes(record));
    }
  });
}

/** False when it has been killed meanwhile: its files were read all the same. */
async function goesOn({ runtime }: ContainerContext, id: string): Promise<boolean> {
  try {
    await runtime.resume(id);
    return true;
  } catch (error) {
    if (error instanceof ConflictError) return false;
    throw error;
  }
}

function committedConfig(
  base: ImageConfig,
  record: ContainerRecord,
  layer: Layer,
  options: CommitOptions,
): ImageConfig {
  const created = new Date().toISOString();
  const command = [...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])].join(" ");
  return {
    ...base,
    created,
    ...(options.author ? { author: options.author } : {}),
    config: imageDefaults({ ...record.config, ...options.overrides }),
    rootfs: { type: "layers", diff_ids: [...base.rootfs.diff_ids, layer.diffId] },
    history: [
      ...(base.history ?? []),
      {
        created,
        created_by: command,
        ...(options.author ? { author: options.author } : {}),
        ...(options.comment ? { comment: options.comment } : {}),
      },
    ],
  };
}

/** The part of a container's Config that belongs into an image. */
const IMAGE_FIELDS = [
  "User",
  "ExposedPorts",
  "Env",
  "Entrypoint",
  "Cmd",
  "Volumes",
  "WorkingDir",
  "Labels",
  "StopSignal",
  "Healthcheck",
  "Shell",
  "OnBuild",
] as const satisfies readonly (keyof ContainerDefaults)[];

function imageDefaults(config: ContainerConfig): ContainerDefaults {
  const given = IMAGE_FIELDS.map((field) => [field, config[field]] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined && value !== null && value !== ""));
}
