import { BerthError, errorMessage, NotFoundError, UnavailableError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import { formatPlatform } from "#formats/platform.ts";
import { locate } from "../build-error.ts";
import type { BaseImage, BuildHost, BuildRequest, ResolveImageOptions } from "../builder.ts";
import type { PlannedStage } from "../graph/stage-plan.ts";
import { stagePrefix } from "../graph/step-name.ts";
import type { BuildProgress, VertexProgress } from "./progress.ts";

type ResolveMode = Pick<ResolveImageOptions, "isOffline" | "isConfigOnly">;

/** Finds the images that stages stand on, each once a build, and shows how. */
export class BaseImages {
  readonly #host: Pick<BuildHost, "resolveImage" | "importImage">;
  readonly #request: BuildRequest;
  readonly #progress: BuildProgress;
  readonly #found = new Map<string, Promise<BaseImage>>();

  constructor(host: Pick<BuildHost, "resolveImage" | "importImage">, request: BuildRequest, progress: BuildProgress) {
    this.#host = host;
    this.#request = request;
    this.#progress = progress;
  }

  /** Throws LocatedError with the FROM's lines when there is no such image. */
  resolve(stage: PlannedStage): Promise<BaseImage> {
    return this.#find(stage, {});
  }

  /** For checks, which look at the config: nothing is pulled. Throws as `resolve`. */
  resolveConfig(stage: PlannedStage): Promise<BaseImage> {
    return this.#find(stage, { isConfigOnly: true });
  }

  /** For a plan: an image that is not here is one of which nothing is known but that a build would pull it. */
  async resolveOffline(stage: PlannedStage): Promise<BaseImage> {
    try {
      return await this.#find(stage, { isOffline: true });
    } catch (error) {
      if (!(error instanceof BerthError) || error.code !== "not-found") throw error;
      const config = { ...stage.platform, config: {}, rootfs: { type: "layers" as const, diff_ids: [] } };
      return { id: digestOf(stage.reference), config, layers: [], isMissing: true };
    }
  }

  async #find(stage: PlannedStage, mode: ResolveMode): Promise<BaseImage> {
    const platform = formatPlatform(stage.platform);
    const identity = `${stage.reference} ${platform}`;
    let found = this.#found.get(identity);
    if (!found) {
      found = this.#resolve(stage, platform, mode);
      this.#found.set(identity, found);
    }
    try {
      return await found;
    } catch (error) {
      throw locate(error, { source: stage.source });
    }
  }

  async #imageOf({ reference, context }: PlannedStage, options: ResolveImageOptions): Promise<BaseImage> {
    if (context?.kind !== "oci-layout") return await this.#host.resolveImage(reference, options);
    const named = this.#request.contexts?.[context.name];
    if (named?.kind !== "oci-layout") throw new NotFoundError(`build context ${context.name}: not found`);
    return await this.#host.importImage({ name: reference, digest: named.digest, blobs: named.blobs }, options);
  }

  #resolve(stage: PlannedStage, platform: string, mode: ResolveMode): Promise<BaseImage> {
    const { reference } = stage;
    const isOneOfSeveral = this.#request.platforms.length > 1;
    const name = `[${isOneOfSeveral ? `${platform} ` : ""}internal] load metadata for ${reference}`;
    return this.#progress.run(name, async (metadata) => {
      let pull: VertexProgress | undefined;
      const onProgress = (id: string, current: number, total: number): void => {
        // The first bytes of a layer: from here on it is the FROM step that works.
        if (!pull) {
          metadata.complete();
          pull = this.#progress.vertex(fromIdentity(stage), fromName(stage, isOneOfSeveral));
          pull.start();
        }
        pull.status(id, { current, total });
      };
      try {
        const { pull: isFresh, signal, logins } = this.#request;
        const options = { logins, pull: isFresh, ...mode, platform, signal, onProgress };
        const image = await this.#imageOf(stage, options);
        pull?.complete();
        return image;
      } catch (error) {
        pull?.fail(error);
        throw explain(error, stage);
      }
    });
  }
}

/** Tells the images that stages of one build stand on apart. */
export function fromIdentity({ reference, platform }: Pick<PlannedStage, "reference" | "platform">): string {
  return `FROM ${reference} ${formatPlatform(platform)}`;
}

function fromName(stage: PlannedStage, isOneOfSeveral: boolean): string {
  const { stepCount, reference } = stage;
  if (stepCount === 0) return `FROM ${reference}`;
  const prefix = stagePrefix(stage, isOneOfSeveral);
  return `[${prefix}${"1".padStart(String(stepCount).length, " ")}/${stepCount}] FROM ${reference}`;
}

/** BuildKit's frame around what the registry or the store says. */
function explain(error: unknown, stage: PlannedStage): unknown {
  if (!(error instanceof NotFoundError || error instanceof UnavailableError)) return error;
  const message = `${stage.baseName}: failed to resolve source metadata for ${stage.reference}: ${errorMessage(error)}`;
  const Framed = error instanceof NotFoundError ? NotFoundError : UnavailableError;
  return new Framed(message, { cause: error });
}
