import { randomBytes } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { makeSystemMountPoints, openContainerFiles, readContainerFile } from "#files/container-files.ts";
import type { ContainerTree, Place } from "#files/container-tree.ts";
import { extractTar } from "#files/extract-tar.ts";
import type { MountSource } from "#files/open-mount.ts";
import { treeTar } from "#files/tree-tar.ts";
import { cleanPath, keepPathEnd, pathBase } from "#formats/copy-path.ts";
import { joinedContainer } from "#formats/joined-container.ts";
import { tarName, tarText } from "#formats/tar/tar-entry.ts";
import { resolveUser } from "#runtime/bundle/user.ts";
import { type ContainerContext, containerFiles } from "./container-context.ts";
import { type ContainerRecord, eventAttributes, isRunning } from "./container-record.ts";
import { etcMounts } from "./run/etc-files.ts";
import { useMounts } from "./run/use-mounts.ts";

/** What is known of a file of a container; paths as text. */
export interface PathStat {
  /** Last part of the path as it was asked for. */
  readonly name: string;
  readonly stats: BigIntStats;
  /** Where a symbolic link leads in the end, inside the container; "" for other files. */
  readonly linkTarget: string;
}

/** A container decides what its /etc/passwd is; nobody needs more. */
const LARGEST_DATABASE = 8 * 1024 * 1024;

/** What a path of a container is; links on the way are followed, one as last part is not. Throws NotFoundError in Docker's words. */
export async function statPath(context: ContainerContext, nameOrId: string, path: string): Promise<PathStat> {
  await using files = await openFiles(context, nameOrId);
  using place = existing(files.tree.findItself(tarName(path)), nameOrId, path);
  return statOf(files.tree, place, path);
}

export interface PathArchive {
  readonly stat: PathStat;
  /** Read it to its end or leave its loop: the container's files are held until then. */
  readonly tar: AsyncIterable<Uint8Array>;
}

/** A file or directory of a container as a tar whose first entry bears its name. Throws NotFoundError in Docker's words. */
export async function archivePath(
  context: ContainerContext,
  nameOrId: string,
  path: string,
  signal: AbortSignal,
): Promise<PathArchive> {
  const record = context.containers.resolve(nameOrId);
  const absolute = keepPathEnd(cleanPath(`/${path}`), path);
  const files = await openFiles(context, nameOrId);
  try {
    const place = existing(files.tree.findItself(tarName(absolute)), nameOrId, absolute);
    const stat = statOf(files.tree, place, absolute);
    context.events.publish("container", "archive-path", record.id, eventAttributes(record));
    return { stat, tar: packed(files, place, tarName(pathBase(absolute)), signal) };
  } catch (error) {
    await files[Symbol.asyncDispose]();
    throw error;
  }
}

export interface ExtractRequest {
  readonly path: string;
  /** Everything becomes the container's user's. */
  readonly copyOwner: boolean;
  readonly noOverwriteDirNonDir: boolean;
  readonly signal: AbortSignal;
}

/**
 * Unpacks an archive into a directory of a container. Throws NotFoundError and InvalidParameterError in Docker's words, DataLossError for a damaged
 * archive.
 */
export async function extractToPath(
  context: ContainerContext,
  nameOrId: string,
  archive: AsyncIterable<Uint8Array>,
  request: ExtractRequest,
): Promise<void> {
  const record = context.containers.resolve(nameOrId);
  await using files = await openFiles(context, nameOrId);
  // Docker follows a link as last part here: an archive may be unpacked "into a link".
  using place = existing(files.tree.find(tarName(request.path)), nameOrId, request.path);
  if (!place.stats.isDirectory()) throw new InvalidParameterError("extraction point is not a directory");
  const { User = "" } = record.config;
  await extractTar(files.tree, place, archive, {
    noOverwriteDirNonDir: request.noOverwriteDirNonDir,
    readonlyRoot: record.hostConfig.ReadonlyRootfs ?? false,
    owner: request.copyOwner && User !== "" ? ownerOf(files.tree, User) : undefined,
    signal: request.signal,
  });
  context.events.publish("container", "extract-to-dir", record.id, eventAttributes(record));
}

/** The whole root filesystem of a container as a tar, without what is mounted over it. Read it to its end or leave its loop. */
export async function* exportContainer(
  context: ContainerContext,
  record: ContainerRecord,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  await using files = await openUndisturbed(context, record.id, openRoot);
  using place = files.tree.findItself("/");
  if (!place) throw new NotFoundError(`No such container: ${record.id}`);
  yield* treeTar(files.tree, place, { name: undefined, signal });
  context.events.publish("container", "export", record.id, eventAttributes(record));
}

interface OpenFiles extends AsyncDisposable {
  readonly tree: ContainerTree;
}

type Open = (
  context: ContainerContext,
  record: ContainerRecord,
  opening: AsyncDisposableStack,
) => Promise<ContainerTree>;

function openFiles(context: ContainerContext, nameOrId: string): Promise<OpenFiles> {
  return openUndisturbed(context, context.containers.resolve(nameOrId).id, openWithMounts);
}

/**
 * Opens files while nobody starts, ends or removes the container: a removal would leave the bare mount point of its root to be written to, and no volumes.
 * What is open stays so whatever happens to the container afterwards.
 */
function openUndisturbed(context: ContainerContext, id: string, open: Open): Promise<OpenFiles> {
  return context.locks.run(id, async () => {
    await using opening = new AsyncDisposableStack();
    const tree = opening.use(await open(context, context.containers.get(id), opening));
    const held = opening.move();
    return { tree, [Symbol.asyncDispose]: () => held.disposeAsync() };
  });
}

/** The root with what is mounted in it. */
async function openWithMounts(
  context: ContainerContext,
  record: ContainerRecord,
  opening: AsyncDisposableStack,
): Promise<ContainerTree> {
  const root = opening.use(await context.snapshotter.hold(record.id));
  const running = isRunning(record);
  const sources = running ? NO_SOURCES : await stoppedSources(context, record, opening);
  return openContainerFiles({
    root: root.path,
    mounts: mountSources(context, record, sources),
    pid: running ? record.state.pid : 0,
    ...newWorkingDirectory(record),
  });
}

/** The root alone, with the mount points that every container has. */
async function openRoot(
  context: ContainerContext,
  record: ContainerRecord,
  opening: AsyncDisposableStack,
): Promise<ContainerTree> {
  const root = opening.use(await context.snapshotter.hold(record.id));
  if (!isRunning(record)) makeSystemMountPoints(root.path);
  return openContainerFiles({ root: root.path, mounts: [], pid: 0, ...newWorkingDirectory(record) });
}

function newWorkingDirectory({ config, state }: ContainerRecord): { readonly workingDirectory?: string } {
  const isNew = state.phase === "created" && state.startedAt === 0;
  return isNew && config.WorkingDir ? { workingDirectory: config.WorkingDir } : {};
}

const NO_SOURCES: ReadonlyMap<string, string> = new Map();

/** Volumes of a container that does not run are in use for the length of the call. */
async function stoppedSources(
  context: ContainerContext,
  record: ContainerRecord,
  held: AsyncDisposableStack,
): Promise<ReadonlyMap<string, string>> {
  const user = `${record.id}:${randomBytes(4).toString("hex")}`;
  held.defer(async () => {
    for (const { type, name } of record.mounts) if (type === "volume") await context.volumes.release(name, user);
  });
  return held.use(await useMounts(context, record, { user, starts: false })).sources;
}

/** Everything that Docker shows of a container's mounts: volumes, binds, tmpfs, and the /etc files that are bound over the image's. */
function mountSources(
  context: ContainerContext,
  record: ContainerRecord,
  sources: ReadonlyMap<string, string>,
): MountSource[] {
  const own = record.mounts.map(({ destination, readonly }) => ({
    destination,
    source: sources.get(destination) ?? "",
    readonly,
  }));
  const taken = new Set(own.map(({ destination }) => destination));
  const joined = joinedContainer(record.hostConfig.NetworkMode);
  const owner = joined === undefined ? undefined : context.containers.lookup(joined);
  const etc = containerFiles(context, owner?.id ?? record.id);
  return [...etcMounts(etc, record, taken), ...own];
}

function existing(place: Place | undefined, nameOrId: string, path: string): Place {
  if (!place) throw new NotFoundError(`Could not find the file ${path} in container ${nameOrId}`);
  return place;
}

function statOf(tree: ContainerTree, { stats }: Place, path: string): PathStat {
  const linkTarget = stats.isSymbolicLink() ? tarText(tree.resolve(tarName(path))) : "";
  return { name: pathBase(path), stats, linkTarget };
}

async function* packed(
  files: OpenFiles,
  place: Place,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* treeTar(files.tree, place, { name, signal });
  } finally {
    place[Symbol.dispose]();
    await files[Symbol.asyncDispose]();
  }
}

function ownerOf(tree: ContainerTree, user: string): { readonly uid: number; readonly gid: number } {
  const read = (path: string): string => readContainerFile(tree, path, LARGEST_DATABASE);
  return resolveUser(user, [], read("/etc/passwd"), read("/etc/group"));
}
