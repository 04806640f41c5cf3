import { isNotFound } from "#client/engine-error.ts";
import { fetchBlob } from "#client/registry-documents.ts";
import { DataLossError, errorMessage, NotFoundError } from "#errors/errors.ts";
import { formatPlatform } from "#formats/platform.ts";
import { formatReference, type Reference } from "#formats/reference.ts";
import type { RegistryDocument } from "#spec/berth-api.ts";
import type { Descriptor, ImageConfig } from "#spec/oci-image.ts";
import type { CommandContext } from "../grammar/command.ts";
import { goDescriptor, goImage, goMap } from "./go-documents.ts";
import { askRegistry, isIndex, readDocument } from "./listed-manifest.ts";

/** In-toto statements are no larger, bytes. */
const STATEMENT = "application/vnd.in-toto+json";
const PREDICATE = "in-toto.io/predicate-type";

/**
 * An image of a registry as buildx's `imagetools inspect` sees it: configs and attestations are fetched when a template asks for them.
 * https://github.com/docker/buildx/blob/master/util/imagetools/loader.go
 */
export class RemoteImage {
  readonly reference: Reference;
  readonly document: RegistryDocument;
  readonly #context: CommandContext;

  private constructor(context: CommandContext, reference: Reference, document: RegistryDocument) {
    this.#context = context;
    this.reference = reference;
    this.document = document;
  }

  /** Throws NotFoundError in buildx's words. */
  static async find(context: CommandContext, reference: Reference): Promise<RemoteImage> {
    return new RemoteImage(context, reference, await findDocument(context, reference));
  }

  get isIndex(): boolean {
    return isIndex(this.document.descriptor);
  }

  /** Its images; of an index those that have a platform, without attestations. */
  get #images(): readonly Descriptor[] {
    if (!this.isIndex) return [this.document.descriptor];
    return readDocument(this.document).manifests.filter(({ platform }) => platform && platform.os !== "unknown");
  }

  /** Of several platforms. */
  get isSeveral(): boolean {
    return this.#images.length > 1;
  }

  /** As `.Manifest` shows it. */
  manifest(): object {
    const { mediaType, digest, size } = this.document.descriptor;
    if (!this.isIndex) return { mediaType, digest, size };
    const { manifests, annotations } = readDocument(this.document);
    return {
      schemaVersion: 2,
      mediaType,
      digest,
      size,
      manifests: manifests.map(goDescriptor),
      ...(annotations ? { annotations } : {}),
    };
  }

  /** `.Image`: the config, or one for each of several platforms. */
  configs(): Promise<object> {
    return this.#perPlatform((image) => this.#config(image));
  }

  /** `.Provenance` */
  provenance(): Promise<object> {
    return this.#perPlatform(async (image) => {
      const [predicate] = await this.#predicates(image, /^https:\/\/slsa\.dev\/provenance\//);
      return predicate === undefined ? undefined : { SLSA: predicate };
    });
  }

  /** `.SBOM` */
  sboms(): Promise<object> {
    return this.#perPlatform(async (image) => {
      const [first, ...others] = await this.#predicates(image, /^https:\/\/spdx\.dev\/Document/);
      if (first === undefined) return undefined;
      return { SPDX: first, ...(others.length > 0 ? { AdditionalSPDXs: others } : {}) };
    });
  }

  /** One platform's alone, or by platform. */
  async #perPlatform(of: (image: Descriptor) => Promise<object | undefined>): Promise<object> {
    const images = this.#images;
    const [only] = images;
    if (only && images.length === 1) return (await of(only)) ?? {};
    const found: Record<string, object> = {};
    for (const image of images) {
      const part = await of(image);
      if (part && image.platform) found[formatPlatform(image.platform)] = part;
    }
    return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  async #config(image: Descriptor): Promise<object> {
    const { config } = readDocument(await this.#manifestOf(image));
    if (!config) return {};
    return goImage((await this.#json(config)) as ImageConfig);
  }

  /** The predicates of the statements about an image that are of a type. */
  async #predicates(image: Descriptor, type: RegExp): Promise<readonly unknown[]> {
    if (!this.isIndex) return [];
    const attestations = readDocument(this.document).manifests.filter(
      ({ annotations }) =>
        annotations?.["vnd.docker.reference.type"] === "attestation-manifest" &&
        annotations["vnd.docker.reference.digest"] === image.digest,
    );
    const found: unknown[] = [];
    for (const attestation of attestations) {
      const { layers } = readDocument(await this.#manifestOf(attestation));
      for (const layer of layers) {
        if (layer.mediaType !== STATEMENT || !type.test(layer.annotations?.[PREDICATE] ?? "")) continue;
        const { predicate } = (await this.#json(layer)) as { readonly predicate?: unknown };
        found.push(goMap(predicate));
      }
    }
    return found;
  }

  async #manifestOf({ digest }: Descriptor): Promise<RegistryDocument> {
    if (digest === this.document.descriptor.digest) return this.document;
    return await findDocument(this.#context, { ...this.reference, digest });
  }

  async #json(blob: Descriptor): Promise<object> {
    const { access } = await askRegistry(this.#context, this.reference, false);
    const bytes = await fetchBlob(this.#context.engine, formatReference(this.reference), blob, access);
    try {
      return Object(JSON.parse(bytes.toString("utf8")));
    } catch (cause) {
      throw new DataLossError(`ERROR: ${blob.digest} is no JSON document: ${errorMessage(cause)}`, { cause });
    }
  }
}

/** Throws NotFoundError in buildx's words. */
export async function findDocument(context: CommandContext, reference: Reference): Promise<RegistryDocument> {
  try {
    return (await askRegistry(context, reference, false)).document;
  } catch (cause) {
    if (!(cause instanceof NotFoundError) && !isNotFound(cause)) throw cause;
    throw new NotFoundError(`ERROR: ${formatReference(reference)}: not found`, { cause });
  }
}
