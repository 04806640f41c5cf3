import { changedConfig } from "#build/graph/changed-config.ts";
import { storeImage } from "#engine/images/create.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { publishImageEvent } from "#engine/images/image-event.ts";
import { LayerProgress } from "#engine/images/layer-progress.ts";
import type { ProgressListener } from "#engine/images/progress.ts";
import { errorMessage, InvalidParameterError, UnavailableError } from "#errors/errors.ts";
import { hostPlatform, parsePlatform } from "#formats/platform.ts";
import { familiarString, parseReference, type Reference, tagNameOnly } from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import type { ImageConfig, Platform } from "#spec/oci-image.ts";

export interface ImportOptions {
  /** Name of the new image; "" for one without a name. */
  readonly name: string;
  /** What the history says of it. */
  readonly message: string;
  /** Dockerfile instructions on the empty config. */
  readonly changes: readonly string[];
  /** `os/arch[/variant]`; "" for this machine's. */
  readonly platform: string;
  readonly onProgress: ProgressListener;
  readonly signal: AbortSignal;
}

/**
 * Makes an image of one layer from a root filesystem: a tar, plain or compressed. It is read as the layer that it becomes, so that names which
 * begin with `.wh.` are whiteouts, as in Docker. Throws InvalidParameterError, DataLossError, CancelledError.
 */
export async function importImage(
  context: ImageContext,
  source: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<Digest> {
  const reference = options.name === "" ? undefined : tagNameOnly(parseReference(options.name));
  if (reference?.digest) throw new InvalidParameterError("cannot import digest reference");
  const platform = options.platform === "" ? hostPlatform() : parsePlatform(options.platform);
  if (platform.os !== "linux") throw new InvalidParameterError("operating system is not supported");
  // What is wrong with the instructions shows before a byte of the archive is read.
  const describe = (layers: readonly Digest[]): ImageConfig =>
    changedConfig(importedConfig(platform, layers, options.message), options.changes);
  describe([]);
  const id = await context.layers.withLease(async () => {
    const layer = await context.layers.ingest(context.inflate(source, options), { signal: options.signal });
    return makeImage(context, describe([layer.diffId]), reference);
  });
  options.onProgress({ status: id });
  publishImageEvent(context, "import", id, { name: id });
  return id;
}

async function makeImage(
  context: ImageContext,
  config: ImageConfig,
  reference: Reference | undefined,
): Promise<Digest> {
  const references = reference ? [reference] : [];
  const { id } = await storeImage(context, Buffer.from(JSON.stringify(config)), { references, digests: [] });
  for (const name of references) publishImageEvent(context, "tag", id, { name: familiarString(name) });
  return id;
}

function importedConfig(
  { os, architecture, variant }: Platform,
  layers: readonly Digest[],
  comment: string,
): ImageConfig {
  const created = new Date().toISOString();
  return {
    architecture,
    ...(variant ? { variant } : {}),
    os,
    created,
    config: {},
    rootfs: { type: "layers", diff_ids: layers },
    history: [{ created, comment }],
  };
}

/** The body of a URL, for an import. Throws InvalidParameterError, UnavailableError with the server's status. */
export async function openImportUrl(
  text: string,
  report: ProgressListener,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const address = text.includes("://") ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new InvalidParameterError(`cannot import from "${text}": expected an http or https URL`);
  }
  report({ status: `Downloading from ${url.origin}${url.pathname}` });
  const response = await fetch(url, { signal }).catch((cause: unknown) => {
    throw new UnavailableError(`cannot import from ${url.origin}${url.pathname}: ${errorMessage(cause)}`, { cause });
  });
  const { body, status } = response;
  if (!response.ok || !body) {
    throw new UnavailableError(`failed to GET ${url.origin}${url.pathname}: it answered with status ${status}`);
  }
  const progress = new LayerProgress(report, "", Number(response.headers.get("content-length") ?? 0));
  return counted(body, (bytes) => progress.move("Importing", bytes));
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    onBytes(bytes);
    yield chunk;
  }
}
