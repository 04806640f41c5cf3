import type { FileTree } from "./file-tree.ts";

/** A root without layers: `FROM scratch` before anything was copied. */
export const emptyTree: FileTree = {
  lstat: () => undefined,
  descendants: () => [],
  read: () => new Uint8Array(),
  chunks: async function* () {},
  xattrs: () => new Map(),
};
