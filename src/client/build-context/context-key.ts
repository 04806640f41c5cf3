import { readFileSync, realpathSync } from "node:fs";
import { digestOf } from "#formats/digest.ts";
import type { Digest } from "#spec/digest.ts";

/**
 * Identifies a directory to the engine across builds: the engine may serve clients of several machines, and paths are the same on all of
 * them. A directory that is sent for different purposes, with other files left out, is another one for each. Throws what realpath throws.
 */
export function contextKey(directory: string, purpose = ""): Digest {
  return digestOf(`${hostId()}\0${realpathSync(directory)}${purpose === "" ? "" : `\0${purpose}`}`);
}

/** https://www.freedesktop.org/software/systemd/man/latest/machine-id.html; hosts without one have a name. */
function hostId(): string {
  try {
    const id = readFileSync("/etc/machine-id", "utf8").trim();
    if (id !== "") return id;
  } catch {
    // As one that is empty.
  }
  return process.getBuiltinModule("node:os").hostname();
}
