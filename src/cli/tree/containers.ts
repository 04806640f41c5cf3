/** `berth container`, and its commands that have a short form: `berth run`, `berth container run`. */
import type { Group, Leaf } from "../grammar/command-tree.ts";
import { leaf } from "./leaf.ts";

export const ATTACH: Leaf = leaf(
  "attach",
  "Attach local standard input, output, and error streams to a running container",
  () => import("../commands/container/attach.ts"),
);

export const COMMIT: Leaf = leaf(
  "commit",
  "Create a new image from a container's changes",
  () => import("../commands/container/commit.ts"),
);

export const CP: Leaf = leaf(
  "cp",
  "Copy files/folders between a container and the local filesystem",
  () => import("../commands/container/cp.ts"),
);

export const CREATE: Leaf = leaf("create", "Create a new container", () => import("../commands/container/create.ts"));

export const DIFF: Leaf = leaf(
  "diff",
  "Inspect changes to files or directories on a container's filesystem",
  () => import("../commands/container/diff.ts"),
);

export const EXEC: Leaf = leaf(
  "exec",
  "Execute a command in a running container",
  () => import("../commands/container/exec.ts"),
);

export const EXPORT: Leaf = leaf(
  "export",
  "Export a container's filesystem as a tar archive",
  () => import("../commands/container/export.ts"),
);

export const KILL: Leaf = leaf(
  "kill",
  "Kill one or more running containers",
  () => import("../commands/container/kill.ts"),
);

export const LOGS: Leaf = leaf("logs", "Fetch the logs of a container", () => import("../commands/container/logs.ts"));

export const PAUSE: Leaf = leaf(
  "pause",
  "Pause all processes within one or more containers",
  () => import("../commands/container/pause.ts"),
);

export const PORT: Leaf = leaf(
  "port",
  "List port mappings or a specific mapping for the container",
  () => import("../commands/container/port.ts"),
);

export const PS: Leaf = leaf("ps", "List containers", () => import("../commands/container/ls.ts"));

export const RENAME: Leaf = leaf("rename", "Rename a container", () => import("../commands/container/rename.ts"));

export const RESTART: Leaf = leaf(
  "restart",
  "Restart one or more containers",
  () => import("../commands/container/restart.ts"),
);

export const RM: Leaf = leaf("rm", "Remove one or more containers", () => import("../commands/container/rm.ts"));

export const RUN: Leaf = leaf(
  "run",
  "Create and run a new container from an image",
  () => import("../commands/container/run.ts"),
);

export const START: Leaf = leaf(
  "start",
  "Start one or more stopped containers",
  () => import("../commands/container/start.ts"),
);

export const STOP: Leaf = leaf(
  "stop",
  "Stop one or more running containers",
  () => import("../commands/container/stop.ts"),
);

export const STATS: Leaf = leaf(
  "stats",
  "Display a live stream of container(s) resource usage statistics",
  () => import("../commands/container/stats.ts"),
);

export const TOP: Leaf = leaf(
  "top",
  "Display the running processes of a container",
  () => import("../commands/container/top.ts"),
);

export const UNPAUSE: Leaf = leaf(
  "unpause",
  "Unpause all processes within one or more containers",
  () => import("../commands/container/unpause.ts"),
);

export const UPDATE: Leaf = leaf(
  "update",
  "Update configuration of one or more containers",
  () => import("../commands/container/update.ts"),
);

export const WAIT: Leaf = leaf(
  "wait",
  "Block until one or more containers stop, then print their exit codes",
  () => import("../commands/container/wait.ts"),
);

export const CONTAINER: Group = {
  name: "container",
  about: "Manage containers",
  commands: [
    ATTACH,
    COMMIT,
    CP,
    CREATE,
    DIFF,
    EXEC,
    EXPORT,
    leaf(
      "inspect",
      "Display detailed information on one or more containers",
      () => import("../commands/container/inspect.ts"),
    ),
    KILL,
    LOGS,
    { ...PS, name: "ls", aliases: ["list", "ps"] },
    PAUSE,
    PORT,
    leaf("prune", "Remove all stopped containers", () => import("../commands/container/prune.ts")),
    RENAME,
    RESTART,
    { ...RM, aliases: ["remove"] },
    RUN,
    START,
    STATS,
    STOP,
    TOP,
    UNPAUSE,
    UPDATE,
    WAIT,
  ],
};
