import { NotFoundError } from "#errors/errors.ts";
import { parsePlatform } from "#formats/platform.ts";
import type { Digest } from "#spec/digest.ts";
import type { ImageConfig } from "#spec/oci-image.ts";
import type { Layer } from "#store/layer-store.ts";
import type { ImageContext } from "./image-context.ts";
import { parseImageConfig } from "./manifest-document.ts";
import { resolveImage } from "./platform-image.ts";

/** What making and starting a container asks of images: synchronous look-ups of what is on this machine. */
export class LocalImages {
  readonly #context: Pick<ImageContext, "images" | "indexes" | "blobs" | "layers">;

  constructor(context: Pick<ImageContext, "images" | "indexes" | "blobs" | "layers">) {
    this.#context = context;
  }

  /**
   * By name, id or id prefix; of a name's platforms the one given (`os/arch[/variant]`), if any. Throws NotFoundError (`No such image:
   * x:latest`), DataLossError when its config is damaged.
   */
  find(name: string, platform: string = ""): { readonly id: Digest; readonly config: ImageConfig } {
    const { id } = resolveImage(this.#context, name, platform === "" ? undefined : parsePlatform(platform));
    return { id, config: this.config(id) };
  }

  /** The config of an image by its full id. Throws NotFoundError, DataLossError. */
  config(id: Digest): ImageConfig {
    return parseImageConfig(this.#context.blobs.readSync(id));
  }

  /** The layers of an image by its full id, bottom first. Throws NotFoundError when a layer file is gone. */
  layers(id: Digest): Layer[] {
    return this.#context.images.layers(id).map(({ diffId }) => {
      const layer = this.#context.layers.layer(diffId);
      if (!layer) throw new NotFoundError(`layer ${diffId} of image ${id}: not found`);
      return layer;
    });
  }
}
