import { readFileSync, rmSync } from "node:fs";
import { errorCode, SystemError } from "#errors/errors.ts";
import { writeFileDurably } from "#sys/durable-file.ts";
import { readProcess } from "#sys/process-info.ts";

/**
 * Writes this process's id to `path`; "" for none. Disposing removes the file. Throws SystemError, in dockerd's words, when the file names another process
 * that runs.
 */
export async function writePidFile(path: string): Promise<Disposable> {
  if (path === "") return { [Symbol.dispose]: () => undefined };
  const other = Number(readOptional(path).trim());
  if (other > 0 && other !== process.pid && readProcess(other) !== undefined)
    throw new SystemError(
      `failed to start daemon, ensure docker is not running or delete ${path}: process with PID ${other} is still running`,
    );
  await writeFileDurably(path, String(process.pid), 0o644);
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  }
}
