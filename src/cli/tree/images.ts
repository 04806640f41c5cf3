/** `berth image` with its short forms, and `berth manifest`. */
import type { Group, Leaf } from "../grammar/command-tree.ts";
import { BUILD } from "./builds.ts";
import { leaf } from "./leaf.ts";

export const HISTORY: Leaf = leaf(
  "history",
  "Show the history of an image",
  () => import("../commands/image/history.ts"),
);

export const IMAGES: Leaf = leaf("images", "List images", () => import("../commands/image/ls.ts"));

export const IMPORT: Leaf = leaf(
  "import",
  "Import the contents from a tarball to create a filesystem image",
  () => import("../commands/image/import.ts"),
);

export const LOAD: Leaf = leaf(
  "load",
  "Load an image from a tar archive or STDIN",
  () => import("../commands/image/load.ts"),
);

export const PULL: Leaf = leaf("pull", "Download an image from a registry", () => import("../commands/image/pull.ts"));

export const PUSH: Leaf = leaf("push", "Upload an image to a registry", () => import("../commands/image/push.ts"));

export const RMI: Leaf = leaf("rmi", "Remove one or more images", () => import("../commands/image/rm.ts"));

export const SAVE: Leaf = leaf(
  "save",
  "Save one or more images to a tar archive (streamed to STDOUT by default)",
  () => import("../commands/image/save.ts"),
);

export const TAG: Leaf = leaf(
  "tag",
  "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
  () => import("../commands/image/tag.ts"),
);

export const IMAGE: Group = {
  name: "image",
  about: "Manage images",
  commands: [
    BUILD,
    HISTORY,
    IMPORT,
    leaf("inspect", "Display detailed information on one or more images", () => import("../commands/image/inspect.ts")),
    LOAD,
    { ...IMAGES, name: "ls", aliases: ["list"] },
    leaf("prune", "Remove unused images", () => import("../commands/image/prune.ts")),
    PULL,
    PUSH,
    { ...RMI, name: "rm", aliases: ["remove"] },
    SAVE,
    TAG,
  ],
};

export const MANIFEST: Group = {
  name: "manifest",
  about: "Manage image manifests and manifest lists",
  commands: [
    leaf(
      "annotate",
      "Add additional information to a local image manifest",
      () => import("../commands/manifest/annotate.ts"),
    ),
    leaf(
      "create",
      "Create a local manifest list for annotating and pushing to a registry",
      () => import("../commands/manifest/create.ts"),
    ),
    leaf("inspect", "Display an image manifest, or manifest list", () => import("../commands/manifest/inspect.ts")),
    leaf("push", "Push a manifest list to a repository", () => import("../commands/manifest/push.ts")),
    leaf("rm", "Delete one or more manifest lists from local storage", () => import("../commands/manifest/rm.ts")),
  ],
};
