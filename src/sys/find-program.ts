import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { SAFE_PATH } from "./command.ts";

/** Where the engine's children find their programs, in this order. */
const DIRECTORIES: readonly string[] = SAFE_PATH.split(":");

/** Path of a program, of the first directory that has it; undefined when none has. */
export function findProgram(name: string, directories: readonly string[] = DIRECTORIES): string | undefined {
  return directories.map((directory) => join(directory, name)).find((path) => isExecutable(path));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
