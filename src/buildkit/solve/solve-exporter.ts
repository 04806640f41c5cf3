import { NotImplementedError } from "#errors/errors.ts";
import { formatReference, parseReference, tagNameOnly } from "#formats/reference.ts";

/** As the control API and `outputs=` name it. */
export interface RequestedExporter {
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
}

/** Where a build's result goes. */
export interface SolveExporter {
  /** Canonical references for the image. */
  readonly tags: readonly string[];
  /** The image is also sent to the client, as an archive in the format of `docker save`. */
  readonly sendsArchive: boolean;
  /** There is an image to tell about. */
  readonly isImage: boolean;
}

/** Ask for what is always so, or are the client's own business. */
const WITHOUT_EFFECT = ["unpack", "store", "oci-mediatypes", "buildinfo", "dangling-name-prefix", "tar", "dest"];

/**
 * Reads what a client wants as output. `moby` is buildx's name for the engine's own image store; it pushes such images itself, so that
 * `push` is none of our business there. Throws NotImplementedError.
 */
export function solveExporter(exporters: readonly RequestedExporter[], canReceive: boolean): SolveExporter {
  const [exporter, ...others] = exporters;
  if (others.length > 0) throw new NotImplementedError("several outputs of one build are not supported yet");
  if (!exporter) return { tags: [], sendsArchive: false, isImage: false };
  const { type, attrs } = exporter;
  const sendsArchive = (type === "docker" || type === "oci") && canReceive;
  if (!sendsArchive && !["moby", "image", "docker"].includes(type)) {
    throw new NotImplementedError(`the output type "${type}" is not supported yet: use docker, oci or image`);
  }
  for (const [name, value] of Object.entries(attrs)) checkOption(type, name, value);
  const names = (attrs["name"] ?? "").split(",").filter((name) => name !== "");
  return { tags: names.map((name) => formatReference(tagNameOnly(parseReference(name)))), sendsArchive, isImage: true };
}

function checkOption(type: string, name: string, value: string): void {
  if (name === "name" || WITHOUT_EFFECT.includes(name) || value === "" || value === "false") return;
  if (name === "push" && type === "moby") return;
  throw new NotImplementedError(`the option ${name}=${value} of the output type "${type}" is not supported yet`);
}
