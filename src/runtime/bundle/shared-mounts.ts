import { realpathSync } from "node:fs";
import { InvalidParameterError } from "#errors/errors.ts";
import { type MountEntry, readMounts } from "#sys/mounts/mount-info.ts";
import type { BindMount } from "../container-runtime.ts";

const DEFAULT = "rprivate";

/**
 * The propagation of a bind. It can only share what the host shares: without a shared mount beneath its source, "shared" would be a promise that
 * nothing keeps. Throws InvalidParameterError in Docker's words then.
 */
export function propagationOf({ source, propagation = "", privateUnlessShared = false }: BindMount): string {
  const isShared = propagation === "shared" || propagation === "rshared";
  if (!isShared && propagation !== "slave" && propagation !== "rslave") return propagation || DEFAULT;
  const mount = mountOf(realpathSync(source));
  const has = (kind: string): boolean => mount?.propagation.some((field) => field.startsWith(`${kind}:`)) ?? false;
  if (has("shared") || (!isShared && has("master"))) return propagation;
  if (privateUnlessShared && !isShared) return DEFAULT;
  const wanted = isShared ? "a shared mount" : "a shared or slave mount";
  throw new InvalidParameterError(`path ${source} is mounted on ${mount?.mountPoint ?? "/"} but it is not ${wanted}`);
}

/** The mount that a path lies on: of those above it the deepest, and of several at one place the last. */
function mountOf(path: string): MountEntry | undefined {
  let found: MountEntry | undefined;
  for (const mount of readMounts()) {
    const { mountPoint } = mount;
    const isAbove = mountPoint === "/" || path === mountPoint || path.startsWith(`${mountPoint}/`);
    if (isAbove && mountPoint.length >= (found?.mountPoint.length ?? 0)) found = mount;
  }
  return found;
}
