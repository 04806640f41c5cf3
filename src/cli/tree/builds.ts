/** `berth build`, and what else there is of builds. */
import type { Group, Leaf } from "../grammar/command-tree.ts";
import { leaf, refused } from "./leaf.ts";

const HISTORY_OF_BUILDS: Group = {
  name: "history",
  about: "Show how builds went and why their steps ran",
  commands: [
    leaf("inspect", "Inspect a build record", () => import("../commands/build/history-inspect.ts")),
    leaf("logs", "Print the whole output of a build", () => import("../commands/build/history-logs.ts")),
    { ...leaf("ls", "List build records", () => import("../commands/build/history-ls.ts")), aliases: ["list"] },
    { ...leaf("rm", "Remove build records", () => import("../commands/build/history-rm.ts")), aliases: ["remove"] },
  ],
};

const DEBUG_BUILD = leaf(
  "debug",
  "Open a shell in the root of the step that failed",
  () => import("../commands/build/debug.ts"),
);

export const BUILD: Leaf = {
  ...leaf("build", "Build an image from a Dockerfile", () => import("../commands/build/build.ts")),
  below: [DEBUG_BUILD, HISTORY_OF_BUILDS],
};
export const BAKE: Leaf = leaf("bake", "Build from a file", () => import("../commands/buildx/bake.ts"));
const DISK_USAGE_OF_BUILDS = leaf("du", "Show what the build cache costs", () => import("../commands/builder/du.ts"));
const BUILDER_PRUNE = leaf("prune", "Remove build cache", () => import("../commands/builder/prune.ts"));
const CACHE_MOUNT: Group = {
  name: "cache-mount",
  about: "Manage the caches of RUN --mount=type=cache",
  commands: [
    leaf("export", "Write a cache as a tar archive", () => import("../commands/builder/cache-mount-export.ts")),
    leaf(
      "import",
      "Make or replace a cache from a tar archive",
      () => import("../commands/builder/cache-mount-import.ts"),
    ),
    { ...leaf("ls", "List caches", () => import("../commands/builder/cache-mount-ls.ts")), aliases: ["list"] },
    { ...leaf("rm", "Remove caches", () => import("../commands/builder/cache-mount-rm.ts")), aliases: ["remove"] },
  ],
};

export const BUILDER: Group = {
  name: "builder",
  about: "Manage builds",
  commands: [BUILD, CACHE_MOUNT, DEBUG_BUILD, DISK_USAGE_OF_BUILDS, HISTORY_OF_BUILDS, BUILDER_PRUNE],
};

const IMAGETOOLS: Group = {
  name: "imagetools",
  about: "Commands to work on images in registry",
  commands: [
    leaf(
      "create",
      "Create a new image based on source images",
      () => import("../commands/buildx/imagetools-create.ts"),
    ),
    leaf(
      "inspect",
      "Show details of an image in the registry",
      () => import("../commands/buildx/imagetools-inspect.ts"),
    ),
  ],
};

const ONE_BUILDER =
  'additional instances of driver "docker" cannot be created: Berth builds in its engine, and "berth buildx" uses that of the context in use';
/** Scripts written for docker's plugin. */
export const BUILDX: Group = {
  ...BUILDER,
  name: "buildx",
  hidden: true,
  commands: [
    ...BUILDER.commands,
    BAKE,
    refused("create", "Create a new builder instance", ONE_BUILDER),
    IMAGETOOLS,
    leaf("inspect", "Inspect current builder instance", () => import("../commands/buildx/inspect.ts")),
    leaf("ls", "List builder instances", () => import("../commands/buildx/ls.ts")),
    refused("rm", "Remove one or more builder instances", ONE_BUILDER),
    leaf("use", "Set the current builder instance", () => import("../commands/buildx/use.ts")),
    leaf("version", "Show buildx version information", () => import("../commands/buildx/version.ts")),
  ],
};
