import { type MountOption, mountFileSystem } from "#sys/mounts/mount.ts";

/**
 * Options that are off, whatever the kernel's build turned on:
 * - `redirect_dir`, `metacopy`: with them the writable directory would hold references into the layers in place of files, and a
 *   diff could not be read from it alone. Renaming a directory of the image then gives EXDEV, and mv copies it, as under Docker.
 * - `index`: it ties a writable directory to the very file systems that it was first mounted on; layers are mounted anew.
 * - `xino`: it sets inode numbers above 2^63, which 32-bit programs cannot stat and JavaScript ones confuse.
 */
const COMMON: readonly MountOption[] = [
  ["redirect_dir", "off"],
  ["metacopy", "off"],
  ["index", "off"],
  ["xino", "off"],
];

export interface WritableLayer {
  readonly upper: string;
  readonly work: string;
  /** Leave out all syncing, which at unmount covers the whole file system of `upper`. */
  readonly volatile: boolean;
}

/**
 * Mounts directories over one another at `target`, `lowers` bottom first and at least one. Devices of images do not work in it:
 * a container's own are on the tmpfs that the runtime mounts at /dev. Throws SystemCallError (more than 500 lowers, ELOOP …).
 */
export function mountOverlay(lowers: readonly string[], target: string, writable: WritableLayer): void {
  mountFileSystem(
    "overlay",
    "overlay",
    target,
    [
      // One option a layer (Linux 6.8): in one string, deep images would exceed the page that mount(2) has for all options.
      ...lowerOptions(lowers),
      ["upperdir", writable.upper],
      ["workdir", writable.work],
      ...COMMON,
      ...(writable.volatile ? [["volatile"] as const] : []),
    ],
    ["noDevices"],
  );
}

/** Mounts directories read-only, `lowers` bottom first. The kernel wants two or more, so an `empty` one lies beneath them. */
export function mountReadOnlyOverlay(lowers: readonly string[], empty: string, target: string): void {
  const options = [...lowerOptions([empty, ...lowers]), ...COMMON];
  mountFileSystem("overlay", "overlay", target, options, ["readOnly", "noDevices"]);
}

/**
 * `lowerdir+` appends below what is there, so the top comes first. The kernel refuses one directory twice, but images do have the
 * same layer twice (empty ones, mostly). The upper of two equal layers shows, or hides, all that the lower one would.
 */
function lowerOptions(lowers: readonly string[]): MountOption[] {
  return [...new Set(lowers.toReversed())].map((path) => ["lowerdir+", path]);
}
