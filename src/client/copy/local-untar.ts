import {
  chmodSync,
  constants,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  rmSync,
  type Stats,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { posix } from "node:path";
import { InvalidParameterError } from "#errors/errors.ts";
import { cleanPath } from "#formats/copy-path.ts";
import { type TarEntry, tarName, tarText } from "#formats/tar/tar-entry.ts";
import { readTar } from "#formats/tar/tar-reader.ts";
import { makeSpecialFile } from "./special-file.ts";

/**
 * Unpacks a tar from a container into a local directory, as `docker cp` does: everything belongs to the caller, modes and times are the container's, a
 * directory and another kind of file never replace one another. `nameOf` changes the entries' names.
 *
 * The container decides what is in the archive: names with ".." are refused, and so is a name that leads through a link. Throws
 * InvalidParameterError for those, and Node's system errors.
 */
export async function localUntar(
  archive: AsyncIterable<Uint8Array>,
  directory: string,
  nameOf: (name: string) => string,
): Promise<void> {
  const base = tarName(cleanPath(directory)).replace(/^\/$/, "");
  const times: { readonly path: Buffer; readonly entry: TarEntry }[] = [];
  for await (const { entry, body } of readTar(archive)) {
    const name = inside(nameOf(entry.path), base);
    if (name === "") continue;
    makeParents(base, name);
    const path = `${base}/${name}`;
    const merges = makeRoom(path, base, entry);
    await make(path, entry, body, { merges, target: (link) => `${base}/${inside(nameOf(link), base)}` });
    if (entry.type === "directory") times.push({ path: bytesOf(path), entry });
  }
  // Last: what is made in a directory changes its time, and needs leave to write there.
  for (const { path, entry } of times.reverse()) {
    chmodSync(path, entry.mode);
    utimesSync(path, secondsOf(entry), secondsOf(entry));
  }
}

function inside(name: string, base: string): string {
  const clean = posix.normalize(name).replace(/^\/+/, "").replace(/\/+$/, "");
  if (clean === ".." || clean.startsWith("../"))
    throw new InvalidParameterError(`"${tarText(name)}" is outside of "${tarText(base)}"`);
  return clean === "." ? "" : clean;
}

/** Makes the directories above an entry that the archive left out. None of them may be a link: it would lead elsewhere. */
function makeParents(base: string, name: string): void {
  let path = base;
  for (const part of name.split("/").slice(0, -1)) {
    path += `/${part}`;
    const stats = statOf(path);
    if (!stats) mkdirSync(bytesOf(path), 0o755);
    else if (!stats.isDirectory())
      throw new InvalidParameterError(
        `"${tarText(name)}" is outside of "${tarText(base)}": ${tarText(path)} is no directory`,
      );
  }
}

/** Takes away what is in the way. True: a directory that the entry, one too, is merged with. */
function makeRoom(path: string, base: string, entry: TarEntry): boolean {
  const existing = statOf(path);
  if (!existing) return false;
  const [isDirectory, becomesDirectory] = [existing.isDirectory(), entry.type === "directory"];
  if (isDirectory && becomesDirectory) return true;
  if (isDirectory || becomesDirectory) {
    const [old, fresh] = isDirectory ? ["directory", "non-directory"] : ["non-directory", "directory"];
    throw new InvalidParameterError(
      `cannot overwrite ${old} "${tarText(path)}" with ${fresh} "${tarText(base) || "/"}"`,
    );
  }
  rmSync(bytesOf(path));
  return false;
}

interface Making {
  readonly merges: boolean;
  /** The path of a hard link's target. */
  readonly target: (name: string) => string;
}

async function make(path: string, entry: TarEntry, body: AsyncIterable<Uint8Array>, making: Making): Promise<void> {
  const location = bytesOf(path);
  switch (entry.type) {
    case "directory":
      if (!making.merges) mkdirSync(location, 0o700);
      return;
    case "file":
      return writeFile(location, entry, body);
    case "symlink":
      symlinkSync(bytesOf(entry.linkPath), location);
      lutimesSync(location, secondsOf(entry), secondsOf(entry));
      return;
    case "hardlink":
      linkSync(bytesOf(making.target(entry.linkPath)), location);
      return;
    default:
      await makeSpecialFile(tarText(path), entry);
      chmodSync(location, entry.mode);
      utimesSync(location, secondsOf(entry), secondsOf(entry));
  }
}

async function writeFile(location: Buffer, entry: TarEntry, body: AsyncIterable<Uint8Array>): Promise<void> {
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;
  const file = await open(location, flags, 0o600);
  try {
    for await (const chunk of body) await file.writeFile(chunk);
    await file.chmod(entry.mode);
    await file.utimes(secondsOf(entry), secondsOf(entry));
  } finally {
    await file.close();
  }
}

function statOf(path: string): Stats | undefined {
  return lstatSync(bytesOf(path), { throwIfNoEntry: false });
}

function secondsOf({ mtime }: TarEntry): number {
  return mtime.seconds + mtime.nanoseconds / 1e9;
}

function bytesOf(latin1: string): Buffer {
  return Buffer.from(latin1, "latin1");
}
