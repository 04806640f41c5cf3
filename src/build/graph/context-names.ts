import { InvalidParameterError } from "#errors/errors.ts";
import { formatPlatform } from "#formats/platform.ts";
import { familiarString, formatReference, parseReference, tagNameOnly } from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import type { Platform } from "#spec/oci-image.ts";
import type { NamedContext, NamedContexts } from "../build-client.ts";
import { parseGitSource } from "../context/git-source.ts";

/** A context whose files steps read, by the name that the client gave it. */
export interface FilesContext {
  readonly kind: "files";
  readonly name: string;
}

/** An image in an OCI layout at the client. */
export interface LayoutContext {
  readonly kind: "oci-layout";
  readonly name: string;
  readonly digest: Digest;
}

/** An image of a registry, canonical, or "scratch"; or one that is here, by its id. */
export interface ImageContext {
  readonly kind: "image";
  readonly reference: string;
}

/** What `--build-context` puts in the place of images and stages. https://docs.docker.com/reference/cli/docker/buildx/build/#build-context */
export class ContextNames {
  readonly #contexts: NamedContexts;

  constructor(contexts: NamedContexts) {
    this.#contexts = contexts;
  }

  /**
   * The context of that name, one for this platform before one for all. `alpine` and `docker.io/library/alpine:latest` are one name. Throws
   * InvalidParameterError for a context that is neither files nor an image.
   */
  find(name: string, platform: Platform | undefined): FilesContext | LayoutContext | ImageContext | undefined {
    const short = shortName(name);
    const keys = [...(platform ? [`${short}::${formatPlatform(platform)}`] : []), short];
    const key = keys.find((candidate) => Object.hasOwn(this.#contexts, candidate));
    const context = key === undefined ? undefined : this.#contexts[key];
    return key === undefined || !context ? undefined : meaningOf(key, context);
  }
}

function shortName(name: string): string {
  try {
    return familiarString(parseReference(name)).replace(/:latest$/, "");
  } catch {
    // Stage names need not be references.
    return name.toLowerCase();
  }
}

function meaningOf(name: string, context: NamedContext): FilesContext | LayoutContext | ImageContext {
  if (context.kind === "files") return { kind: "files", name };
  if (context.kind === "oci-layout") return { kind: "oci-layout", name, digest: context.digest };
  if (context.kind === "image") return { kind: "image", reference: context.id };
  const { url } = context;
  if (url.startsWith("docker-image://")) {
    const reference = url.slice("docker-image://".length);
    if (reference === "scratch") return { kind: "image", reference };
    return { kind: "image", reference: formatReference(tagNameOnly(parseReference(reference))) };
  }
  if (/^https?:\/\//.test(url) || parseGitSource(url, { allowBareHost: false })) return { kind: "files", name };
  const scheme = url.split(":")[0] ?? "";
  throw new InvalidParameterError(
    url.includes(":")
      ? `unsupported context source ${scheme} for ${name}`
      : `invalid context specifier ${url} for ${name}`,
  );
}
