import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { prepareFiles } from "#client/build-context/prepare.ts";
import { transferContext } from "#client/build-context/transfer.ts";
import { errorMessage, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { isDigest } from "#formats/digest.ts";
import { familiarString, parseReference } from "#formats/reference.ts";
import type { SentContext } from "#spec/berth-api.ts";
import type { Digest } from "#spec/digest.ts";
import type { CommandContext } from "../grammar/command.ts";
import { isRemoteUrl } from "./remote-url.ts";

const LAYOUT = "oci-layout://";
/** https://github.com/opencontainers/image-spec/blob/main/annotations.md */
const REF_NAME = "org.opencontainers.image.ref.name";

/**
 * `--build-context NAME=VALUE`, directories sent to the engine as far as it has not got them. Throws InvalidParameterError, NotFoundError.
 * https://docs.docker.com/reference/cli/docker/buildx/build/#build-context
 */
export async function sendNamedContexts(
  values: readonly string[],
  context: CommandContext,
): Promise<Readonly<Record<string, SentContext>>> {
  const sent: Record<string, SentContext> = {};
  for (const value of values) {
    const equals = value.indexOf("=");
    if (equals <= 0) throw new InvalidParameterError(`invalid context value: ${value}, expected key=value`);
    sent[nameOf(value.slice(0, equals))] = await send(value.slice(equals + 1), context);
  }
  return sent;
}

function nameOf(written: string): string {
  try {
    return familiarString(parseReference(written)).replace(/:latest$/, "");
  } catch (cause) {
    throw new InvalidParameterError(`invalid context name ${written}: ${errorMessage(cause)}`, { cause });
  }
}

async function send(value: string, context: CommandContext): Promise<SentContext> {
  if (value.startsWith("docker-image://") || isRemoteUrl(value)) return { url: value };
  const layout = value.startsWith(LAYOUT) ? parseLayout(value.slice(LAYOUT.length)) : undefined;
  const directory = resolve(context.workingDirectory, layout?.path ?? value);
  const digest = layout && layoutDigest(directory, layout);
  const prepared = prepareFiles(directory, layout ? "layout" : "files");
  const { id } = await transferContext(context.engine, prepared, context.signal);
  return { id, ...(digest ? { digest } : {}) };
}

interface LayoutReference {
  readonly path: string;
  readonly tag: string;
  readonly digest: string;
}

/** `PATH[:TAG][@DIGEST]`. */
function parseLayout(text: string): LayoutReference {
  const [beforeDigest = "", digest = ""] = text.split("@");
  const colon = beforeDigest.lastIndexOf(":");
  const hasTag = colon > beforeDigest.lastIndexOf("/");
  return {
    path: hasTag ? beforeDigest.slice(0, colon) : beforeDigest,
    tag: hasTag ? beforeDigest.slice(colon + 1) : "",
    digest,
  };
}

function layoutDigest(directory: string, { path, tag, digest }: LayoutReference): Digest {
  if (digest !== "") {
    if (isDigest(digest)) return digest;
    throw new InvalidParameterError(`invalid oci-layout reference: bad digest ${JSON.stringify(digest)}`);
  }
  const manifests = readIndex(directory, path);
  const wanted = tag === "" ? "latest" : tag;
  const named = manifests.find(({ annotations }) => annotations?.[REF_NAME] === wanted);
  const found = named ?? (tag === "" && manifests.length === 1 ? manifests[0] : undefined);
  if (found && isDigest(found.digest)) return found.digest;
  throw new NotFoundError(`failed to get build context: ${path} has no image with the tag ${JSON.stringify(wanted)}`);
}

interface IndexEntry {
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

function readIndex(directory: string, path: string): readonly IndexEntry[] {
  try {
    const index: unknown = JSON.parse(readFileSync(join(directory, "index.json"), "utf8"));
    const manifests = (index as { readonly manifests?: unknown }).manifests;
    return Array.isArray(manifests) ? (manifests as readonly IndexEntry[]) : [];
  } catch (cause) {
    throw new NotFoundError(`failed to get build context: ${path} is no OCI layout: ${errorMessage(cause)}`, { cause });
  }
}
