import { InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import { formatReference, parseReference, tagNameOnly } from "#formats/reference.ts";

/** One `-o`, as clients name it. https://docs.docker.com/build/exporters/ */
export interface RequestedOutput {
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
}

/** Where a build's result goes. */
export type BuildOutput =
  /** Into the engine's image store, and from there to registries. */
  | ({ readonly kind: "image"; readonly push: boolean; readonly names: readonly string[] } & ImageForm)
  /** To the client: an OCI layout, with Docker's own documents beside it for `docker`; as a tar, or unpacked. */
  | ({ readonly kind: "oci" | "docker"; readonly names: readonly string[] } & ImageForm)
  /** To the client: the files, as a tar or unpacked. */
  | { readonly kind: "local" | "tar" }
  | { readonly kind: "cacheonly" };

/** What a manifest is to look like. */
export interface ImageForm {
  readonly compression: Compression;
  /** undefined: what the compressor does by itself. */
  readonly level: number | undefined;
  /** Compress what is there in another form again. */
  readonly force: boolean;
  /** OCI's media types, else Docker's. */
  readonly ociTypes: boolean;
  readonly rewriteTimestamp: boolean;
  /** By where they go: the manifest, its descriptor. */
  readonly annotations: { readonly manifest: Annotations; readonly descriptor: Annotations };
  /** Something was asked for that only a manifest made for it has. */
  readonly isSpecial: boolean;
}

export type Annotations = Readonly<Record<string, string>>;
export type Compression = "uncompressed" | "gzip" | "zstd";

/** Say what is always so, or what only the client needs to know. */
const WITHOUT_EFFECT = [
  "dest",
  "unpack",
  "store",
  "buildinfo",
  "dangling-name-prefix",
  "tar",
  "platform-split",
  "mode",
];
const FORM = ["compression", "compression-level", "force-compression", "oci-mediatypes", "rewrite-timestamp"];
const IMAGE_KEYS = [...FORM, "name", "push", ...WITHOUT_EFFECT];

/**
 * Reads what a client asks for; `tags` (canonical) name the image where an output names none. Without any output the result is an image.
 * Throws InvalidParameterError, NotImplementedError.
 */
export function buildOutputs(requested: readonly RequestedOutput[], tags: readonly string[]): readonly BuildOutput[] {
  if (requested.length === 0) return [buildOutput({ type: "image", attrs: {} }, tags)];
  return requested.map((output) => buildOutput(output, tags));
}

function buildOutput({ type, attrs }: RequestedOutput, tags: readonly string[]): BuildOutput {
  switch (type) {
    case "cacheonly":
      return { kind: "cacheonly" };
    case "local":
    case "tar":
      checkKeys(type, attrs, WITHOUT_EFFECT);
      if (attrs["mode"] === "delete")
        throw new NotImplementedError("mode=delete is not supported: empty the directory before the build");
      return { kind: type };
    case "oci":
      return { kind: "oci", names: namesOf(attrs, tags), ...formOf(type, attrs, "uncompressed") };
    case "docker":
      if (!isSent(attrs))
        return { kind: "image", push: false, names: namesOf(attrs, tags), ...formOf(type, attrs, "gzip") };
      return { kind: "docker", names: namesOf(attrs, tags), ...formOf(type, attrs, "uncompressed") };
    case "image":
    case "registry":
    case "moby": {
      const push = type === "registry" || flag(attrs, "push", false);
      const names = namesOf(attrs, tags);
      if (push && names.length === 0) throw new InvalidParameterError("tag is needed when pushing to registry");
      const form = formOf(type, attrs, "gzip");
      if (!push && form.isSpecial) {
        throw new NotImplementedError(
          "the engine's image store keeps layers uncompressed and no manifest: annotations and compression are for outputs of type oci, docker (with dest=) and registry",
        );
      }
      return { kind: "image", push, names, ...form };
    }
    default:
      throw new InvalidParameterError(`exporter ${JSON.stringify(type)} could not be found`);
  }
}

/** Whether a docker output goes to the client: without `dest` it is loaded. */
function isSent({ dest }: RequestedOutput["attrs"]): boolean {
  return dest !== undefined && dest !== "";
}

function namesOf({ name }: RequestedOutput["attrs"], tags: readonly string[]): readonly string[] {
  const own = (name ?? "").split(",").filter((text) => text !== "");
  return own.length === 0 ? tags : own.map((text) => formatReference(tagNameOnly(parseReference(text))));
}

function formOf(type: string, attrs: RequestedOutput["attrs"], usual: Compression): ImageForm {
  const annotations = annotationsOf(attrs);
  checkKeys(type, attrs, IMAGE_KEYS);
  const compression = compressionOf(attrs["compression"], usual);
  const level = attrs["compression-level"] === undefined ? undefined : Number(attrs["compression-level"]);
  if (level !== undefined && (!Number.isInteger(level) || level < 0 || level > 22)) {
    throw new InvalidParameterError(
      `invalid value ${attrs["compression-level"]} for compression-level: a number from 0 to 22`,
    );
  }
  const ociTypes = flag(attrs, "oci-mediatypes", type === "oci" || compression === "zstd" || annotations.count > 0);
  if (compression === "zstd" && !ociTypes) throw new InvalidParameterError("zstd layers need oci-mediatypes=true");
  if (annotations.count > 0 && !ociTypes) throw new InvalidParameterError("annotations need oci-mediatypes=true");
  return {
    compression,
    level,
    force: flag(attrs, "force-compression", false),
    ociTypes,
    rewriteTimestamp: flag(attrs, "rewrite-timestamp", false),
    annotations: { manifest: annotations.manifest, descriptor: annotations.descriptor },
    isSpecial: compression !== usual || level !== undefined || annotations.count > 0 || (ociTypes && type !== "oci"),
  };
}

function compressionOf(text: string | undefined, usual: Compression): Compression {
  if (text === undefined) return usual;
  if (text === "uncompressed" || text === "gzip" || text === "zstd") return text;
  if (text === "estargz") throw new NotImplementedError("compression=estargz: use gzip, zstd or uncompressed");
  throw new InvalidParameterError(`unsupported layer compression type: ${text}`);
}

const ANNOTATION = /^annotation(?:-(manifest|manifest-descriptor|index|index-descriptor))?(?:\[([^\]]+)\])?\.(.+)$/;

/** `annotation.K`, `annotation-manifest.K`, `annotation-manifest-descriptor.K`, perhaps with `[PLATFORM]`. */
function annotationsOf(attrs: RequestedOutput["attrs"]): {
  readonly manifest: Annotations;
  readonly descriptor: Annotations;
  readonly count: number;
} {
  const manifest: Record<string, string> = {};
  const descriptor: Record<string, string> = {};
  for (const [name, value] of Object.entries(attrs)) {
    const [, place = "manifest", , key = ""] = ANNOTATION.exec(name) ?? [];
    if (key === "") continue;
    if (place.startsWith("index")) {
      throw new InvalidParameterError("index annotations not supported for single platform export");
    }
    (place === "manifest" ? manifest : descriptor)[key] = value;
  }
  const count = Object.keys(manifest).length + Object.keys(descriptor).length;
  return { manifest, descriptor, count };
}

function checkKeys(type: string, attrs: RequestedOutput["attrs"], known: readonly string[]): void {
  for (const name of Object.keys(attrs)) {
    if (known.includes(name) || (known.includes("name") && ANNOTATION.test(name))) continue;
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
