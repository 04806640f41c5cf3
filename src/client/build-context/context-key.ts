import { readFileSync, realpathSync } from "node:fs";
import { hostname } from "node:os";
import { digestOf } from "#formats/digest.ts";
import type { Digest } from "#spec/digest.ts";

/**
 * Identifies a directory to the engine across builds: the engine may serve clients of several machines, and paths are the same on all of
 * them. Throws what realpath throws.
 */
export function contextKey(directory: string): Digest {
  return digestOf(`${hostId()}\0${realpathSync(directory)}`);
}

/** https://www.freedesktop.org/software/systemd/man/latest/machine-id.html; hosts without one have a name. */
function hostId(): string {
  try {
    return readFileSync("/etc/machine-id", "utf8").trim() || hostname();
  } catch {
    return hostname();
  }
}
