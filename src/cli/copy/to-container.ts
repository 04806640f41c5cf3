import { posix } from "node:path";
import {
  isDevice,
  isDirectory,
  isSymlink,
  type PathStat,
  statContainerPath,
  writeContainerPath,
} from "#client/container-files.ts";
import { absoluteLocalPath, localSource } from "#client/copy/local-end.ts";
import { localTar } from "#client/copy/local-tar.ts";
import type { Engine } from "#client/engine.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { type CopyEnd, planCopy, splitPath } from "#formats/copy-path.ts";
import type { CommandContext } from "../grammar/command.ts";
import type { CopyOptions } from "./copy-options.ts";
import { CopyProgress } from "./copy-progress.ts";

/** `berth cp SRC_PATH|- CONTAINER:DEST_PATH`. */
export async function copyToContainer(context: CommandContext, container: string, options: CopyOptions): Promise<void> {
  const { engine, streams, signal, workingDirectory } = context;
  const destination = await resolveDestination(engine, container, options.destination);
  const { path, tar } =
    options.source === "-"
      ? fromStdin(container, options, destination, streams.stdin.bytes())
      : fromPath(absoluteLocalPath(workingDirectory, options.source), options, destination);
  await using progress = new CopyProgress(streams.stderr, "Copying to container - ", options.quiet);
  const { copyOwner } = options;
  const counted = options.source === "-" ? tar : progress.count(tar);
  await writeContainerPath(engine, container, counted, { path, copyOwner, signal });
  await progress.succeed(`${container}:${destination.path}`);
}

/** Where the destination leads; whether it exists is all that matters of what cannot be asked. Throws InvalidParameterError for a device. */
async function resolveDestination(engine: Engine, container: string, path: string): Promise<CopyEnd> {
  let at = path;
  let stat = await statOrNothing(engine, container, path);
  if (stat && isSymlink(stat)) {
    const { linkTarget } = stat;
    at = linkTarget.startsWith("/") ? linkTarget : posix.join(splitPath(path).directory, linkTarget);
    stat = await statOrNothing(engine, container, at);
  }
  if (stat && isDevice(stat)) {
    throw new InvalidParameterError(
      `destination "${container}:${path}" must be a directory or a regular file: got a device`,
    );
  }
  return { path: at, exists: stat !== undefined, isDirectory: stat !== undefined && isDirectory(stat) };
}

async function statOrNothing(engine: Engine, container: string, path: string): Promise<PathStat | undefined> {
  return await statContainerPath(engine, container, path).catch(() => undefined);
}

interface Upload {
  readonly path: string;
  readonly tar: AsyncIterable<Uint8Array>;
}

function fromStdin(
  container: string,
  options: CopyOptions,
  destination: CopyEnd,
  tar: AsyncIterable<Uint8Array>,
): Upload {
  if (!destination.isDirectory)
    throw new InvalidParameterError(`destination "${container}:${options.destination}" must be a directory`);
  return { path: destination.path, tar };
}

function fromPath(path: string, options: CopyOptions, destination: CopyEnd): Upload {
  const source = localSource(path, options.followLink);
  const { directory, rename } = planCopy(source, destination);
  // A source that is reached over a link keeps the name that was asked for.
  const own = source.rebaseName ? { from: splitPath(source.path).base, to: source.rebaseName } : undefined;
  const change = own && rename ? { from: own.from, to: rename.to } : (rename ?? own);
  return { path: directory, tar: localTar(source.path, change) };
}
