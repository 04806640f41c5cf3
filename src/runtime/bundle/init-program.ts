import { UnavailableError } from "#errors/errors.ts";
import { findProgram } from "#sys/find-program.ts";

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
    const path = findProgram(name, DIRECTORIES);
    if (path !== undefined) return path;
  }
  throw new UnavailableError(
    'cannot use --init: no init program found: install the Debian package "tini" or "catatonit"',
  );
}
