import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { UnavailableError } from "#errors/errors.ts";

/** Where Docker puts it. */
export const INIT_DESTINATION = "/sbin/docker-init";
/** Static ones first: a program that is linked dynamically does not find its libraries in a foreign root. */
const NAMES: readonly string[] = ["docker-init", "tini-static", "catatonit", "tini"];
const DIRECTORIES: readonly string[] = [
  "/usr/libexec/berth",
  "/usr/local/bin",
  "/usr/bin",
  "/usr/sbin",
  "/usr/libexec/podman",
  "/bin",
  "/sbin",
];

/** Host path of the program for `--init`. Throws UnavailableError when none is installed. */
export function findInitProgram(): string {
  for (const name of NAMES) {
    for (const directory of DIRECTORIES) {
      const path = join(directory, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // The next place.
      }
    }
  }
  throw new UnavailableError(
    'cannot use --init: no init program found: install the Debian package "tini" or "catatonit"',
  );
}
