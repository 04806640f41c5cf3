import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import { extname, join, normalize } from "node:path";
import { errorCode, errorMessage, InvalidParameterError } from "#errors/errors.ts";
import type { CdiSpec } from "#spec/cdi.ts";
import { parseCdiSpec } from "./parse-spec.ts";

/** Bytes. What vendors' tools write is a hundredth of it. */
const LARGEST_FILE = 4 * 1024 * 1024;

export interface CdiFile {
  readonly path: string;
  /** The place of its directory in the list: a later one overrides. */
  readonly priority: number;
  readonly spec: CdiSpec;
}

/** A file, or a directory, that is not used, and why. */
export interface CdiProblem {
  readonly path: string;
  readonly message: string;
}

export interface ReadDirectories {
  readonly files: readonly CdiFile[];
  readonly problems: readonly CdiProblem[];
}

/**
 * Reads all `.json` and `.yaml` files that lie in the directories themselves. One that cannot be read, is no CDI Spec, or could have been written
 * by somebody else than root is a problem and no more: a hook is a program that the runtime runs as root (ADR 15). A directory that is not
 * there holds nothing.
 */
export function readDirectories(directories: readonly string[]): ReadDirectories {
  const files: CdiFile[] = [];
  const problems: CdiProblem[] = [];
  for (const [priority, directory] of directories.entries()) {
    for (const path of specPaths(normalize(directory), problems)) {
      try {
        files.push({ path, priority, spec: parseCdiSpec(readTrusted(path)) });
      } catch (error) {
        const message = errorMessage(error).replace(/^E[A-Z]+: /, "");
        problems.push({ path, message: `failed to load CDI Spec ${JSON.stringify(path)}: ${message}` });
      }
    }
  }
  return { files, problems };
}

/** In the order of their names. */
function specPaths(directory: string, problems: CdiProblem[]): readonly string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    const problem = trustProblem(statSync(directory));
    const paths = entries
      .filter((entry) => !entry.isDirectory() && [".json", ".yaml"].includes(extname(entry.name)))
      .map(({ name }) => join(directory, name))
      .sort();
    if (problem === undefined || paths.length === 0) return paths;
    problems.push({
      path: directory,
      message: `the CDI Specs in ${JSON.stringify(directory)} are not used: ${problem}`,
    });
  } catch (error) {
    if (errorCode(error) !== "ENOENT") problems.push({ path: directory, message: errorMessage(error) });
  }
  return [];
}

/** What is checked is what is read, and nothing in the directory can make the engine wait. */
function readTrusted(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    const problem = stats.isFile() ? trustProblem(stats) : "it is not a regular file";
    if (problem !== undefined) throw new InvalidParameterError(problem);
    if (stats.size > LARGEST_FILE) throw new InvalidParameterError(`it has more than ${LARGEST_FILE} bytes`);
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}

/** Whether somebody else than root, or the engine's user, could have written it. */
function trustProblem({ uid, mode }: Stats): string | undefined {
  if (uid !== 0 && uid !== process.geteuid?.()) return `it belongs to uid ${uid}, not to root`;
  if ((mode & 0o022) === 0) return undefined;
  return `its mode ${(mode & 0o7777).toString(8).padStart(4, "0")} lets others than its owner write to it`;
}
