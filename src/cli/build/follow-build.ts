import { type BuildRequest, buildImage } from "#client/build.ts";
import { SystemError } from "#errors/errors.ts";
import { formatReference, parseReference, tagNameOnly } from "#formats/reference.ts";
import type { TwiceReport } from "#spec/build-twice.ts";
import type { JsonMessage } from "#spec/docker-messages.ts";
import type { Descriptor, Platform } from "#spec/oci-image.ts";
import type { BuildFailure, SolveStatus } from "#spec/solve-status.ts";
import type { Progress } from "../build-progress/progress.ts";
import type { CommandContext } from "../grammar/command.ts";
import type { OutputTarget } from "./outputs.ts";

/** How a build ended. */
export type Outcome = (
  | {
      /** Without a platform. */
      readonly imageId: string;
      /** Of the manifest or index that went out, or that the engine keeps. */
      readonly descriptor?: Descriptor | undefined;
      /** Of a build for several platforms. */
      readonly images?: readonly { readonly ID: string; readonly Platform: Platform }[] | undefined;
      /** `--twice`. */
      readonly twice?: TwiceReport | undefined;
      readonly failure?: undefined;
    }
  | { readonly failure: BuildFailure; readonly imageId?: undefined }
) & {
  /** Its record's id; undefined from an engine that keeps none. */
  readonly build?: string | undefined;
};

export interface FollowOptions {
  readonly progress: Progress;
  readonly context: CommandContext;
  /** By the place among the request's outputs. */
  readonly targets: readonly (OutputTarget | undefined)[];
}

/** How the engine tells that its client took no more of an output. */
const UNREAD = "the client stopped reading the output";

/** Builds, shows the progress and takes the outputs until the engine has said how it ended. Throws SystemError for an output that cannot be written. */
export async function followBuild(
  build: BuildRequest,
  { progress, context, targets }: FollowOptions,
): Promise<Outcome> {
  let outcome: Outcome | undefined;
  let reference: string | undefined;
  let twice: TwiceReport | undefined;
  const received: Promise<void>[] = [];
  try {
    for await (const messages of buildImage(context.engine, build)) {
      const updates: SolveStatus[] = [];
      for (const message of messages) {
        if (message.id === "berth.solve") updates.push(message.aux as SolveStatus);
        else if (message.id === "berth.build") reference = (message.aux as { readonly Ref?: string }).Ref;
        else if (message.id === "berth.twice") twice = message.aux as TwiceReport;
        else if (message.id === "berth.output") received.push(handled(receive(message, targets, context)));
        else outcome = outcomeOf(message) ?? outcome;
      }
      await progress.update(...updates);
    }
  } finally {
    await progress.finish();
  }
  await Promise.all(received).catch((error: unknown) => {
    // What could not be written here is the cause of what the engine says; what the engine could not read is told by it alone.
    if (!outcome?.failure || outcome.failure.message.endsWith(UNREAD)) throw error;
  });
  if (!outcome) throw new SystemError("failed to build: the engine ended the connection before the build had ended");
  return outcome.failure ? { ...outcome, build: reference } : { ...outcome, build: reference, twice };
}

/** Awaited later: until then it is no unhandled rejection. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

async function receive(
  { aux }: JsonMessage,
  targets: FollowOptions["targets"],
  context: CommandContext,
): Promise<void> {
  const { Index = -1, Token = "" } = (aux ?? {}) as { readonly Index?: number; readonly Token?: string };
  const target = targets[Index];
  if (!target) throw new SystemError(`failed to build: the engine has an output ${Index} that was not asked for`);
  const { receiveOutput } = await import("./receive-output.ts");
  await receiveOutput(Token, target, context);
}

/** What the last message of a build says; undefined for any other. */
export function outcomeOf(message: JsonMessage): Outcome | undefined {
  if (message.errorDetail || message.error) {
    const text = message.errorDetail?.message ?? message.error ?? "";
    return { failure: { message: text, ...(message.aux as Partial<BuildFailure> | undefined) } };
  }
  const {
    ID: imageId,
    Descriptor: descriptor,
    Images: images,
  } = (message.aux ?? {}) as {
    readonly ID?: string;
    readonly Descriptor?: Descriptor;
    readonly Images?: readonly { readonly ID: string; readonly Platform: Platform }[];
  };
  return imageId === undefined ? undefined : { imageId, descriptor, images };
}

/** What `--iidfile` and `-q` tell: the image's id; of several platforms the index, if there is one. */
export function builtId({ imageId, descriptor, images }: Extract<Outcome, { readonly imageId: string }>): string {
  return images ? (descriptor?.digest ?? imageId) : imageId;
}

/**
 * What `--metadata-file` has, as buildx writes it: of an image that has no manifest yet the digest is its id, as with the docker driver.
 * `buildx.build.ref` ends in what `build history inspect` takes.
 */
export function buildMetadata(
  { imageId, build, descriptor, images }: Extract<Outcome, { readonly imageId: string }>,
  tags: readonly string[],
): string {
  const metadata = {
    ...(build === undefined ? {} : { "buildx.build.ref": `default/default/${build}` }),
    ...(images ? {} : { "containerimage.config.digest": imageId }),
    ...(descriptor ? { "containerimage.descriptor": descriptor } : {}),
    "containerimage.digest": descriptor?.digest ?? imageId,
    ...(tags.length === 0
      ? {}
      : { "image.name": tags.map((tag) => formatReference(tagNameOnly(parseReference(tag)))).join(",") }),
  };
  return `${JSON.stringify(metadata, null, 2)}\n`;
}
