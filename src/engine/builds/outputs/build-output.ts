import type { ImageAnnotation } from "#build/builder.ts";
import { InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import { formatReference, parseReference, tagNameOnly } from "#formats/reference.ts";
import type { AttestationRequests } from "../attestations/attestation-requests.ts";
import { checkAnnotations, isAnnotation, readAnnotations } from "./annotations.ts";

/** One `-o`, as clients name it. https://docs.docker.com/build/exporters/ */
export interface RequestedOutput {
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
}

/** Where a build's result goes. */
export type BuildOutput =
  | ImageOutput
  /** To the client: an OCI layout, with Docker's own documents beside it for `docker`; as a tar, or unpacked. */
  | ({ readonly kind: "oci" | "docker"; readonly names: readonly string[] } & ImageForm)
  /** To the client: the files, as a tar or unpacked; those of each platform in a directory of their own, or all in one. */
  | { readonly kind: "local" | "tar"; readonly isSplit: boolean; readonly attested: AttestedKind }
  | { readonly kind: "cacheonly" };

/** Into the engine's image store, and from there to registries. */
export interface ImageOutput extends ImageForm {
  readonly kind: "image";
  readonly push: boolean;
  /** Canonical. Those of an image that is pushed by digest have no tag. */
  readonly names: readonly string[];
  /** The registry gets it without a name. */
  readonly isByDigest: boolean;
  /** The engine keeps it. */
  readonly isStored: boolean;
}

/** What a manifest is to look like. */
export interface ImageForm {
  readonly compression: Compression;
  /** undefined: what the compressor does by itself. */
  readonly level: number | undefined;
  /** OCI's media types, else Docker's. */
  readonly ociTypes: boolean;
  readonly rewriteTimestamp: boolean;
  readonly annotations: readonly ImageAnnotation[];
  readonly attested: AttestedKind;
}

/** What of a build's attestations an output has beside it: all of them, or those that are not only for registries. */
export type AttestedKind = "all" | "kept" | "none";

export type Compression = "uncompressed" | "gzip" | "zstd";

/** Say what is always so, or what only the client needs to know. */
const WITHOUT_EFFECT = ["dest", "unpack", "buildinfo", "dangling-name-prefix", "tar", "mode", "load"];
const FORM = ["compression", "compression-level", "force-compression", "oci-mediatypes", "rewrite-timestamp"];
const IMAGE_KEYS = [...FORM, "name", "push", "push-by-digest", "name-canonical", "store", ...WITHOUT_EFFECT];

export interface OutputDefaults {
  /** Canonical: they name the image where an output names none. */
  readonly tags: readonly string[];
  /** Those that are built for, normalised; none for the engine's own. */
  readonly platforms: readonly string[];
  readonly attestations?: AttestationRequests;
}

/**
 * Reads what a client asks for. Without any output the result is an image. Throws InvalidParameterError, NotImplementedError.
 */
export function buildOutputs(requested: readonly RequestedOutput[], defaults: OutputDefaults): readonly BuildOutput[] {
  if (requested.length === 0) return [buildOutput({ type: "image", attrs: {} }, defaults)];
  return requested.map((output) => buildOutput(output, defaults));
}

function buildOutput({ type, attrs }: RequestedOutput, defaults: OutputDefaults): BuildOutput {
  switch (type) {
    case "cacheonly":
      return { kind: "cacheonly" };
    case "local":
    case "tar":
      checkKeys(type, attrs, [...WITHOUT_EFFECT, "platform-split"]);
      return {
        kind: type,
        isSplit: flag(attrs, "platform-split", defaults.platforms.length > 1),
        attested: attestedKind(defaults, false),
      };
    case "oci":
      return { kind: "oci", names: namesOf(attrs, defaults.tags), ...formOf(type, attrs, defaults, "uncompressed") };
    case "docker":
      if (!isSent(attrs)) return imageOutput(type, attrs, defaults);
      return { kind: "docker", names: namesOf(attrs, defaults.tags), ...formOf(type, attrs, defaults, "uncompressed") };
    case "image":
    case "registry":
    case "moby":
      return imageOutput(type, attrs, defaults);
    default:
      throw new InvalidParameterError(`exporter ${JSON.stringify(type)} could not be found`);
  }
}

function imageOutput(type: string, attrs: RequestedOutput["attrs"], defaults: OutputDefaults): ImageOutput {
  const push = type === "registry" || flag(attrs, "push", false);
  const isByDigest = push && flag(attrs, "push-by-digest", false);
  const names = isByDigest ? untaggedNames(attrs, defaults.tags) : namesOf(attrs, defaults.tags);
  if (push && names.length === 0) throw new InvalidParameterError("tag is needed when pushing to registry");
  const form = formOf(type, attrs, defaults, "gzip", push);
  if (!push && (form.compression !== "gzip" || form.level !== undefined)) {
    throw new NotImplementedError(
      "the engine's image store keeps layers uncompressed: compression is for outputs of type oci, docker (with dest=) and registry",
    );
  }
  if (!push && flag(attrs, "name-canonical", false)) {
    throw new NotImplementedError("name-canonical=true without push: the image has its digest when it has been pushed");
  }
  return { kind: "image", push, names, isByDigest, isStored: flag(attrs, "store", true), ...form };
}

/** As BuildKit's exporters: what is only for registries makes no index where an output would have none. */
function attestedKind({ attestations = {} }: OutputDefaults, isPushed: boolean): AttestedKind {
  const { provenance, sbom } = attestations;
  if (isPushed && (provenance || sbom)) return "all";
  return sbom || provenance?.isInlineOnly === false ? "kept" : "none";
}

/** Whether a docker output goes to the client: without `dest` it is loaded. */
function isSent({ dest }: RequestedOutput["attrs"]): boolean {
  return dest !== undefined && dest !== "";
}

function namesOf(attrs: RequestedOutput["attrs"], tags: readonly string[]): readonly string[] {
  const own = ownNames(attrs);
  return own.length === 0 ? tags : own.map((text) => formatReference(tagNameOnly(parseReference(text))));
}

/** Throws InvalidParameterError in BuildKit's words for a name that has a tag. */
function untaggedNames(attrs: RequestedOutput["attrs"], tags: readonly string[]): readonly string[] {
  const own = ownNames(attrs).map(parseReference);
  const references = own.length > 0 ? own : tags.map(parseReference);
  const tagged = references.find(({ tag }) => tag !== undefined);
  if (tagged) throw new InvalidParameterError(`can't push tagged ref ${formatReference(tagged)} by digest`);
  return references.map(formatReference);
}

function ownNames({ name }: RequestedOutput["attrs"]): readonly string[] {
  return (name ?? "").split(",").filter((text) => text !== "");
}

/** Annotations, attestations and zstd turn OCI's media types on, as in BuildKit. */
function formOf(
  type: string,
  attrs: RequestedOutput["attrs"],
  defaults: OutputDefaults,
  usual: Compression,
  isPushed = false,
): ImageForm {
  const { platforms } = defaults;
  const attested = attestedKind(defaults, isPushed);
  const isAttested = attested !== "none";
  const annotations = readAnnotations(attrs);
  checkKeys(type, attrs, IMAGE_KEYS);
  checkAnnotations(annotations, platforms, isAttested);
  const compression = compressionOf(attrs["compression"], usual);
  const level = attrs["compression-level"] === undefined ? undefined : Number(attrs["compression-level"]);
  if (level !== undefined && (!Number.isInteger(level) || level < 0 || level > 22)) {
    throw new InvalidParameterError(
      `invalid value ${attrs["compression-level"]} for compression-level: a number from 0 to 22`,
    );
  }
  // Layers are kept uncompressed: all of them get the form that is asked for, whether it is forced or not.
  flag(attrs, "force-compression", false);
  const needsOci = compression === "zstd" || annotations.length > 0 || isAttested;
  const ociTypes = flag(attrs, "oci-mediatypes", type === "oci" || platforms.length > 1) || needsOci;
  return {
    compression,
    level,
    ociTypes,
    rewriteTimestamp: flag(attrs, "rewrite-timestamp", false),
    annotations,
    attested,
  };
}

function compressionOf(text: string | undefined, usual: Compression): Compression {
  if (text === undefined) return usual;
  if (text === "uncompressed" || text === "gzip" || text === "zstd") return text;
  if (text === "estargz") throw new NotImplementedError("compression=estargz: use gzip, zstd or uncompressed");
  throw new InvalidParameterError(`unsupported layer compression type: ${text}`);
}

function checkKeys(type: string, attrs: RequestedOutput["attrs"], known: readonly string[]): void {
  for (const name of Object.keys(attrs)) {
    if (known.includes(name) || (known.includes("name") && isAnnotation(name))) continue;
    throw new InvalidParameterError(`unknown key ${JSON.stringify(name)} for an output of type ${type}`);
  }
}

function flag(attrs: RequestedOutput["attrs"], name: string, otherwise: boolean): boolean {
  const value = attrs[name];
  if (value === undefined) return otherwise;
  if (/^(|1|t|T|TRUE|true|True)$/.test(value)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(value)) return false;
  throw new InvalidParameterError(`non-bool value specified for ${name}: ${JSON.stringify(value)}`);
}
