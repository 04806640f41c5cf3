import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type {
  BaseImage,
  BuildHost,
  BuildNetwork,
  CreatedImages,
  CreateImagesOptions,
  LayoutImage,
  ResolveImageOptions,
  StepNames,
} from "#build/builder.ts";
import { hostGateway, resolverSettings } from "#engine/containers/run/etc-files.ts";
import { createImages } from "#engine/images/create-images.ts";
import type { ImageContext } from "#engine/images/image-context.ts";
import { LocalImages } from "#engine/images/lookup.ts";
import { fetchImageConfig, pullImage } from "#engine/images/registry/pull.ts";
import { NotFoundError } from "#errors/errors.ts";
import { isDigest } from "#formats/digest.ts";
import { parseReference } from "#formats/reference.ts";
import { renderHosts } from "#network/hosts-file.ts";
import { NAME_SERVER_ADDRESS } from "#network/names/name-record.ts";
import { readHostResolvConf, renderResolvConf } from "#network/resolv-conf.ts";
import type { Digest } from "#spec/digest.ts";
import type { ImageConfig } from "#spec/oci-image.ts";
import { importLayoutImage } from "./layout-image.ts";
import { connectStep, type StepNetworkParts } from "./step-network.ts";

/** BuildKit's: the name that a step's machine has leads to itself. https://github.com/moby/buildkit/blob/master/executor/oci/hosts.go */
function stepHosts(hostname: string): string {
  // What is no name would be lines of its own.
  const name = /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(hostname) ? ` ${hostname}` : "";
  return `127.0.0.1\tlocalhost${name}\n::1\tlocalhost ip6-localhost ip6-loopback`;
}

export interface EngineBuildHostOptions {
  readonly images: ImageContext;
  readonly network: StepNetworkParts;
  /** For the /etc files of running steps; under the exec root. */
  readonly directory: string;
}

/** What a build needs of the engine it runs in: images by name, a place for the result, and the network of a RUN step. */
export class EngineBuildHost implements BuildHost {
  readonly #options: EngineBuildHostOptions;
  readonly #local: LocalImages;

  constructor(options: EngineBuildHostOptions) {
    this.#options = options;
    this.#local = new LocalImages(options.images);
  }

  async resolveImage(reference: string, options: ResolveImageOptions): Promise<BaseImage> {
    // An image by its id is one that a build of the same client made, whatever it is for: no registry has it.
    const isId = isDigest(reference) && this.#options.images.images.find(reference) !== undefined;
    const platform = isId ? "" : options.platform;
    const found = options.pull && !isDigest(reference) ? undefined : this.#find(reference, platform);
    if (!found && options.isOffline) throw new NotFoundError(`${reference}: not here, and not asked for`);
    if (!found && options.isConfigOnly) return { ...(await this.#fetchConfig(reference, options)), layers: [] };
    if (!found) await this.#pull(reference, options);
    const { id, config } = found ?? this.#local.find(reference, platform);
    const manifestDigest = this.#options.images.images.find(id)?.manifest?.digest;
    return { id, config, layers: this.#local.layers(id), ...(manifestDigest ? { manifestDigest } : {}) };
  }

  importImage({ name, digest, blobs }: LayoutImage, options: ResolveImageOptions): Promise<BaseImage> {
    return importLayoutImage(this.#options.images, { name, digest, blobs, ...options });
  }

  createImages(configs: readonly ImageConfig[], options: CreateImagesOptions): Promise<CreatedImages> {
    return createImages(this.#options.images, configs, options);
  }

  async openNetwork(stepId: string, mode: string, { hostname, extraHosts }: StepNames): Promise<BuildNetwork> {
    const directory = join(this.#options.directory, randomBytes(8).toString("hex"));
    await mkdir(directory, { mode: 0o700 });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    const files = { hostsPath: join(directory, "hosts"), resolvConfPath: join(directory, "resolv.conf") };
    const { network, hasNames } = stack.use(await connectStep(this.#options.network, stepId, mode));
    await writeFile(
      files.hostsPath,
      renderHosts({
        hostname: "",
        addresses: [],
        base: stepHosts(hostname),
        extraHosts,
        hostGateway: await hostGateway(this.#options.network, extraHosts),
      }),
    );
    await writeFile(
      files.resolvConfPath,
      renderResolvConf({
        host: await readHostResolvConf(),
        ...resolverSettings(this.#options.network.settings),
        ...(hasNames ? { nameService: NAME_SERVER_ADDRESS } : {}),
      }),
    );
    const held = stack.move();
    return { network, ...files, [Symbol.asyncDispose]: () => held.disposeAsync() };
  }

  /** An image for another platform counts as not there: the registry may have it for this one. */
  #find(reference: string, platform: string): { readonly id: Digest; readonly config: ImageConfig } | undefined {
    try {
      return this.#local.find(reference, platform);
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  async #fetchConfig(
    reference: string,
    { logins, platform, signal }: ResolveImageOptions,
  ): ReturnType<typeof fetchImageConfig> {
    const credentials = await logins?.get(parseReference(reference).domain, signal);
    return await fetchImageConfig(this.#options.images, reference, {
      ...(credentials ? { credentials } : {}),
      platform,
      signal,
    });
  }

  async #pull(reference: string, options: ResolveImageOptions): Promise<void> {
    const credentials = await options.logins?.get(parseReference(reference).domain, options.signal);
    await pullImage(this.#options.images, reference, {
      ...(credentials ? { credentials } : {}),
      platform: options.platform,
      signal: options.signal,
      onProgress: (message) => {
        const { current, total } = message.progressDetail ?? {};
        if (message.id && current !== undefined) options.onProgress(message.id, current, total ?? 0);
      },
    });
  }
}
