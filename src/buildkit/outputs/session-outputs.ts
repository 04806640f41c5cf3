import type { RequestedOutput } from "#engine/builds/outputs/build-output.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { formatReference, parseReference, tagNameOnly } from "#formats/reference.ts";

/** What goes to the client's side: a file or a directory. */
const SENT = ["docker", "oci", "tar", "local"];
/** buildx and Compose push what is in the engine's store by themselves, with the engine's API; and `load` says that it is to be there. */
const CLIENTS_OWN = ["push", "push-by-digest", "registry.insecure", "load"];

/**
 * The outputs that a client of BuildKit's asks for, in the engine's terms. No output at all is none, while the engine's own default is an
 * image; `moby` is buildx's name for the engine's image store; where the client keeps what it is sent is its own business, so that `docker` is
 * one that is sent as soon as the client takes files. Throws InvalidParameterError when it takes none.
 */
export function sessionOutputs(
  requested: readonly RequestedOutput[],
  { canReceive, hasBlobs }: { readonly canReceive: boolean; readonly hasBlobs: boolean },
): readonly RequestedOutput[] {
  if (requested.length === 0) return [{ type: "cacheonly", attrs: {} }];
  return requested.map(({ type, attrs }) => {
    if (type === "moby") return { type, attrs: without(attrs, CLIENTS_OWN) };
    if (!SENT.includes(type) || (type === "docker" && !canReceive)) return { type, attrs };
    const isUnpacked = (type === "docker" || type === "oci") && attrs["tar"] === "false";
    if (!(isUnpacked ? hasBlobs : canReceive))
      throw new InvalidParameterError(`the client takes no files: cannot send the output of type "${type}"`);
    return { type, attrs: type === "docker" ? { ...attrs, dest: "the client" } : attrs };
  });
}

/** The names that the outputs give their images, canonical. Throws InvalidParameterError. */
export function outputNames(requested: readonly RequestedOutput[]): readonly string[] {
  const names = requested.flatMap(({ attrs }) => (attrs["name"] ?? "").split(",")).filter((name) => name !== "");
  return [...new Set(names.map((name) => formatReference(tagNameOnly(parseReference(name)))))];
}

function without(attrs: RequestedOutput["attrs"], names: readonly string[]): RequestedOutput["attrs"] {
  return Object.fromEntries(Object.entries(attrs).filter(([name]) => !names.includes(name)));
}
