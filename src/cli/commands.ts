/** All commands, by the headings of the help. Each is loaded by a literal path, so that the compiled binary contains it. */

import type { Command } from "./grammar/command.ts";
import type { CommandTree, Group, Leaf } from "./grammar/command-tree.ts";

type Loader = () => Promise<{ readonly command: Command }>;

function leaf(name: string, about: string, load: Loader, more: Partial<Leaf> = {}): Leaf {
  return { name, about, ...more, load: async () => (await load()).command };
}

const ATTACH = leaf(
  "attach",
  "Attach local standard input, output, and error streams to a running container",
  () => import("./commands/attach.ts"),
);
const BUILD = leaf("build", "Build an image from a Dockerfile", () => import("./commands/build.ts"));
const CREATE = leaf("create", "Create a new container", () => import("./commands/create.ts"));
const EXEC = leaf("exec", "Execute a command in a running container", () => import("./commands/exec.ts"));
const KILL = leaf("kill", "Kill one or more running containers", () => import("./commands/kill.ts"));
const LOGS = leaf("logs", "Fetch the logs of a container", () => import("./commands/logs.ts"));
const PAUSE = leaf("pause", "Pause all processes within one or more containers", () => import("./commands/pause.ts"));
const PS = leaf("ps", "List containers", () => import("./commands/ps.ts"));
const PULL = leaf("pull", "Download an image from a registry", () => import("./commands/pull.ts"));
const RENAME = leaf("rename", "Rename a container", () => import("./commands/rename.ts"));
const RESTART = leaf("restart", "Restart one or more containers", () => import("./commands/restart.ts"));
const RM = leaf("rm", "Remove one or more containers", () => import("./commands/rm.ts"));
const RUN = leaf("run", "Create and run a new container from an image", () => import("./commands/run.ts"));
const START = leaf("start", "Start one or more stopped containers", () => import("./commands/start.ts"));
const STOP = leaf("stop", "Stop one or more running containers", () => import("./commands/stop.ts"));
const UNPAUSE = leaf(
  "unpause",
  "Unpause all processes within one or more containers",
  () => import("./commands/unpause.ts"),
);
const WAIT = leaf(
  "wait",
  "Block until one or more containers stop, then print their exit codes",
  () => import("./commands/wait.ts"),
);

const CONTAINER: Group = {
  name: "container",
  about: "Manage containers",
  commands: [
    ATTACH,
    CREATE,
    EXEC,
    KILL,
    LOGS,
    { ...PS, name: "ls", aliases: ["list", "ps"] },
    PAUSE,
    RENAME,
    RESTART,
    { ...RM, aliases: ["remove"] },
    RUN,
    START,
    STOP,
    UNPAUSE,
    WAIT,
  ],
};

const IMAGE: Group = { name: "image", about: "Manage images", commands: [BUILD, PULL] };

export const COMMANDS: CommandTree = {
  program: "berth",
  about: "A container engine: pulls, runs and builds images, and says what they cost",
  sections: [
    { title: "Common Commands", entries: [RUN, EXEC, PS, BUILD, PULL] },
    { title: "Management Commands", entries: [CONTAINER, IMAGE] },
    {
      title: "Commands",
      entries: [ATTACH, CREATE, KILL, LOGS, PAUSE, RENAME, RESTART, RM, START, STOP, UNPAUSE, WAIT],
    },
  ],
};
