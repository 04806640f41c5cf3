import { mkdir } from "node:fs/promises";
import { posix } from "node:path";
import { fetchOutput } from "#client/build.ts";
import { localUntar } from "#client/copy/local-untar.ts";
import { removeOthers } from "#client/copy/remove-others.ts";
import { errorMessage, SystemError } from "#errors/errors.ts";
import type { CommandContext } from "../grammar/command.ts";
import { writeOutput } from "../transfer/output-file.ts";
import type { OutputTarget } from "./outputs.ts";

/**
 * Takes an output of a build: a directory is filled, nothing outside of it touched; a file appears when it is whole. Throws SystemError when
 * it cannot be written, which fails the build.
 */
export async function receiveOutput(
  token: string,
  target: OutputTarget,
  { engine, streams, signal }: CommandContext,
): Promise<void> {
  const body = await fetchOutput(engine, token, signal);
  try {
    if (target.kind === "directory") {
      await mkdir(target.path, { recursive: true });
      const names: string[] = [];
      await localUntar(body, target.path, (name) => {
        names.push(posix.normalize(name).replace(/^\/+|\/+$/g, ""));
        return name;
      });
      if (target.isOnly) removeOthers(target.path, names);
    } else await writeOutput(target.kind === "stdout" ? "" : target.path, streams.stdout, body);
  } catch (cause) {
    throw new SystemError(`failed to write the build's output: ${errorMessage(cause)}`, { cause });
  }
}
