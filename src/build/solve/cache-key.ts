import { chainId, digestOf } from "#formats/digest.ts";
import type { Digest } from "#spec/digest.ts";
import type { Platform } from "#spec/oci-image.ts";
import type { Layer } from "#store/layer-store.ts";
import type { CopyStep, RunMount, RunStep, WorkdirStep } from "../graph/graph-types.ts";
import type { RunDevice } from "../instructions/types.ts";

/**
 * A step's identity in the cache: the operation and what it works on, and nothing else. Not the Dockerfile's text, not file times,
 * not metadata that no operation sees. https://github.com/moby/buildkit/blob/master/docs/dev/solver.md
 */
export interface CacheKey {
  readonly key: Digest;
  /** JSON of all that went into it. */
  readonly record: string;
}

/** Version of the keys. A change of what goes into them, or of the layers that steps make, counts it up. */
const KEY_VERSION = 4;

/** The layers below a step by their diffIDs: an image counts by its layers alone, so a new tag, label or CMD on them changes nothing. */
export function baseKey(layers: readonly Layer[]): Digest {
  return chainId(layers.map(({ diffId }) => diffId)) ?? digestOf("scratch");
}

/**
 * The root that a step works on, by the contents of its layers, bottom first: the same whichever steps made them. A step that ran again
 * and made the same files leaves the keys above it as they were.
 */
export function rootKey(contents: readonly Digest[]): Digest {
  return chainId(contents) ?? digestOf("scratch");
}

/** RUN: command, environment in order, directory, user, network; what lies below; never proxies or extra hosts' addresses. */
export function runKey(
  step: RunStep,
  root: Digest,
  platform: Platform,
  extraHosts: readonly string[],
  mounted: readonly CopySourceKey[],
): CacheKey {
  const { args, env, cwd, user, network, script } = step;
  const hosts = extraHosts.map((host) => host.split(/[:=]/)[0]).sort();
  const security = step.security === "sandbox" ? undefined : step.security;
  const mounts = step.mounts.length === 0 ? undefined : step.mounts.map(mountText);
  const content = mounted.length === 0 ? undefined : mounted.map((source) => source.content);
  const devices = step.devices.length === 0 ? undefined : step.devices.map(deviceText);
  const { hostname, own } = step;
  const operation = {
    args,
    env,
    cwd,
    user,
    hostname,
    network,
    security,
    script,
    hosts,
    platform,
    mounts,
    devices,
    own,
  };
  return keyOf("run", operation, { root, content });
}

/** As the Dockerfile asks for it: which devices the host has at the moment is no part of the key. */
function deviceText({ name, required }: RunDevice): string {
  return required ? `${name},required` : name;
}

/** What of a mount the step can tell: never what a secret or a cache holds, nor which cache it is. */
function mountText(mount: RunMount): string {
  const fields: Record<string, string | number> = { type: mount.type, target: mount.target };
  if ("readOnly" in mount && mount.readOnly) fields["ro"] = 1;
  if (mount.type === "tmpfs") fields["size"] = mount.size;
  // Which of several begins with files of elsewhere: what these are is told by the content.
  if (mount.type === "cache" && mount.from) fields["from"] = "";
  if (mount.type === "secret" || mount.type === "ssh")
    Object.assign(fields, { id: mount.id, required: mount.required });
  if (mount.type === "secret") fields["env"] = mount.env;
  if ("mode" in mount) Object.assign(fields, { mode: mount.mode.toString(8), uid: mount.uid, gid: mount.gid });
  return Object.entries(fields)
    .map(([name, value]) => csvField(`${name}=${value}`))
    .join(",");
}

/** As `--mount` takes it: no value can pass for a further field. */
function csvField(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** WORKDIR: the directory and its owner. */
export function workdirKey(step: WorkdirStep, root: Digest): CacheKey {
  return keyOf("mkdir", { path: step.path, user: step.user, timestamp: step.mtime }, { root });
}

export interface CopySourceKey {
  /** Last component of the source argument: the same file from another directory is the same copy. */
  readonly argument: string;
  /** Digest over the files that it chose. */
  readonly content: Digest;
  /** The files behind the digest, one line each (content-digest.ts); absent when there are too many to keep. */
  readonly manifest?: string;
}

/**
 * COPY and ADD: where to, whose, which mode; the sources by name and content. Without a root it is the key of what the step does
 * wherever it does it: a layer found by it fits when the root has what the step looked at (base-facts.ts).
 */
export function copyKey(step: CopyStep, root: Digest | undefined, sources: readonly CopySourceKey[]): CacheKey {
  const { destination, chown, chmod, exclude, unpack, inlineFiles, mtime: timestamp } = step;
  const inline = inlineFiles.map(({ name, content }) => ({ name, content: digestOf(content) }));
  const names = sources.map(({ argument }) => argument);
  const content = sources.map((source) => source.content);
  const unpacked = { unpack: unpack.local, unpackRemote: unpack.remote || undefined, timestamp };
  return keyOf("copy", { names, destination, chown, chmod, exclude, ...unpacked, inline }, { root, content });
}

/**
 * Where the digest over chosen files of a stage or image is kept: they cannot change while the layers are the same. A source with `--parents` is
 * a pair, so that it is none of the same text without.
 */
export function contentKey(
  layers: readonly Layer[],
  sources: readonly (string | readonly [path: string, pattern: string])[],
  excluded: readonly string[],
): CacheKey {
  const exclude = excluded.length === 0 ? undefined : excluded;
  return keyOf("content", { sources, exclude }, { root: baseKey(layers) });
}

function keyOf(kind: string, operation: object, inputs: object): CacheKey {
  const record = JSON.stringify({ version: KEY_VERSION, kind, operation, inputs });
  return { key: digestOf(record), record };
}
