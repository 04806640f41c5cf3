import { InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import { formatReference, parseReference, tagNameOnly } from "#formats/reference.ts";

/** As the control API and `outputs=` name it. */
export interface RequestedExporter {
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
}

/** Where a build's result goes. */
export interface SolveExporter {
  /** An image in the engine's store; or at the client: an archive in the format of `docker save`, the files as a tar or in a directory; or nowhere. */
  readonly kind: "image" | "archive" | "tar" | "directory" | "none";
  /** Canonical references for the image. */
  readonly tags: readonly string[];
}

/** Ask for what is always so, or are the client's own business. */
const WITHOUT_EFFECT = ["unpack", "store", "oci-mediatypes", "buildinfo", "dangling-name-prefix", "tar", "dest"];

/**
 * Reads what a client wants as output; `canReceive`: it takes files. `moby` is buildx's name for the engine's own image store; it pushes such
 * images itself, so that `push` is none of our business there. Throws NotImplementedError, InvalidParameterError.
 */
export function solveExporter(exporters: readonly RequestedExporter[], canReceive: boolean): SolveExporter {
  const [exporter, ...others] = exporters;
  if (others.length > 0) throw new NotImplementedError("several outputs of one build are not supported yet");
  if (!exporter) return { kind: "none", tags: [] };
  const { type, attrs } = exporter;
  const kind = kindOf(type, canReceive);
  for (const [name, value] of Object.entries(attrs)) checkOption(type, name, value);
  const names = (attrs["name"] ?? "").split(",").filter((name) => name !== "");
  return { kind, tags: names.map((name) => formatReference(tagNameOnly(parseReference(name)))) };
}

function kindOf(type: string, canReceive: boolean): SolveExporter["kind"] {
  if (type === "cacheonly") return "none";
  if (type === "moby" || type === "image" || (type === "docker" && !canReceive)) return "image";
  const sent = { docker: "archive", oci: "archive", tar: "tar", local: "directory" } as const;
  const kind = Object.hasOwn(sent, type) ? sent[type as keyof typeof sent] : undefined;
  if (!kind) throw new NotImplementedError(`the output type "${type}" is not supported yet`);
  if (!canReceive)
    throw new InvalidParameterError(`the client takes no files: cannot send the output of type "${type}"`);
  return kind;
}

function checkOption(type: string, name: string, value: string): void {
  if (name === "name" || WITHOUT_EFFECT.includes(name) || value === "" || value === "false") return;
  if (name === "push" && type === "moby") return;
  throw new NotImplementedError(`the option ${name}=${value} of the output type "${type}" is not supported yet`);
}
