import { posix } from "node:path";
import { isDirectory, isSymlink, readContainerPath, statContainerPath } from "#client/container-files.ts";
import { absoluteLocalPath, checkOutputPath, localDestination } from "#client/copy/local-end.ts";
import { localUntar } from "#client/copy/local-untar.ts";
import type { Engine } from "#client/engine.ts";
import { type CopyEnd, followedPath, planCopy, renameEntry, splitPath } from "#formats/copy-path.ts";
import { tarName } from "#formats/tar/tar-entry.ts";
import type { CommandContext } from "../grammar/command.ts";
import type { CopyOptions } from "./copy-options.ts";
import { CopyProgress } from "./copy-progress.ts";

/** `berth cp CONTAINER:SRC_PATH DEST_PATH|-`. */
export async function copyFromContainer(
  context: CommandContext,
  container: string,
  options: CopyOptions,
): Promise<void> {
  const { engine, streams, signal, workingDirectory } = context;
  const toStdout = options.destination === "-";
  const destination = toStdout ? "-" : absoluteLocalPath(workingDirectory, options.destination);
  if (!toStdout) checkOutputPath(destination);
  const source = await resolveSource(engine, container, options);
  const { stat, tar } = await readContainerPath(engine, container, source.path, signal);
  if (toStdout) {
    for await (const bytes of tar) await streams.stdout.write(bytes);
    return;
  }
  const from: CopyEnd = { ...source, exists: true, isDirectory: isDirectory(stat) };
  await using progress = new CopyProgress(streams.stderr, "Copying from container - ", options.quiet);
  await unpack(progress.count(tar), from, destination);
  await progress.succeed(destination);
}

interface Source {
  readonly path: string;
  readonly rebaseName?: string;
}

/** With `-L` where a link leads, and the name that the user gave. What cannot be asked is left to the copy to tell. */
async function resolveSource(engine: Engine, container: string, options: CopyOptions): Promise<Source> {
  const path = options.source;
  if (!options.followLink) return { path };
  const stat = await statContainerPath(engine, container, path).catch(() => undefined);
  if (!stat || !isSymlink(stat)) return { path };
  const { linkTarget } = stat;
  const target = linkTarget.startsWith("/") ? linkTarget : posix.join(splitPath(path).directory, linkTarget);
  return followedPath(path, target);
}

async function unpack(tar: AsyncIterable<Uint8Array>, source: CopyEnd, destination: string): Promise<void> {
  const plan = planCopy(source, localDestination(destination));
  // The archive bears the name of what was read, the plan starts from the one that was asked for.
  const asked = source.rebaseName ? { from: splitPath(source.path).base, to: source.rebaseName } : undefined;
  const [first, second] = [inBytes(asked), inBytes(plan.rename)];
  await localUntar(tar, plan.directory, (name) => renameEntry(renameEntry(name, first), second));
}

function inBytes(rename: ReturnType<typeof planCopy>["rename"]): ReturnType<typeof planCopy>["rename"] {
  return rename && { from: tarName(rename.from), to: tarName(rename.to) };
}
