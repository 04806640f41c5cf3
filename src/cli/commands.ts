/** All commands, by the headings of the help. Each is loaded by a literal path, so that the compiled binary contains it. */
import type { CommandTree, Leaf } from "./grammar/command-tree.ts";
import { PROGRAM } from "./program.ts";
import { BAKE, BUILD, BUILDER, BUILDX } from "./tree/builds.ts";
import {
  ATTACH,
  COMMIT,
  CONTAINER,
  CP,
  CREATE,
  DIFF,
  EXEC,
  EXPORT,
  KILL,
  LOGS,
  PAUSE,
  PORT,
  PS,
  RENAME,
  RESTART,
  RM,
  RUN,
  START,
  STATS,
  STOP,
  TOP,
  UNPAUSE,
  UPDATE,
  WAIT,
} from "./tree/containers.ts";
import { HISTORY, IMAGE, IMAGES, IMPORT, LOAD, MANIFEST, PULL, PUSH, RMI, SAVE, TAG } from "./tree/images.ts";
import { NO_SWARM, refused } from "./tree/leaf.ts";
import { NETWORK, VOLUME } from "./tree/networks-and-volumes.ts";
import {
  COMPLETION,
  CONTEXT,
  DAEMON,
  EVENTS,
  INFO,
  INSPECT,
  LOGIN,
  LOGOUT,
  SEARCH,
  SYSTEM,
  VERSION,
} from "./tree/system.ts";

const NOT_SUPPORTED: readonly Leaf[] = [
  refused("checkpoint", "Manage checkpoints", "checkpoints of containers are not supported"),
  refused("config", "Manage Swarm configs", NO_SWARM),
  refused("node", "Manage Swarm nodes", NO_SWARM),
  refused("plugin", "Manage plugins", "Berth has no engine plugins: its drivers are built in"),
  refused("secret", "Manage Swarm secrets", NO_SWARM),
  refused("service", "Manage Swarm services", NO_SWARM),
  refused("stack", "Manage Swarm stacks", NO_SWARM),
  refused("swarm", "Manage Swarm", NO_SWARM),
  refused("trust", "Manage trust on Docker images", "content trust is not supported: name images by digest instead"),
];

export const COMMANDS: CommandTree = {
  program: PROGRAM,
  about: "A container engine: pulls, runs and builds images, and says what they cost",
  sections: [
    {
      title: "Common Commands",
      entries: [RUN, EXEC, PS, BUILD, PULL, PUSH, IMAGES, LOGIN, LOGOUT, SEARCH, VERSION, INFO],
    },
    {
      title: "Management Commands",
      entries: [BUILDER, BUILDX, COMPLETION, CONTAINER, CONTEXT, IMAGE, MANIFEST, NETWORK, SYSTEM, VOLUME],
    },
    {
      title: "Commands",
      entries: [
        ATTACH,
        BAKE,
        COMMIT,
        CP,
        CREATE,
        DAEMON,
        DIFF,
        EVENTS,
        EXPORT,
        HISTORY,
        IMPORT,
        INSPECT,
        KILL,
        LOAD,
        LOGS,
        PAUSE,
        PORT,
        RENAME,
        RESTART,
        RM,
        RMI,
        SAVE,
        START,
        STATS,
        STOP,
        TAG,
        TOP,
        UNPAUSE,
        UPDATE,
        WAIT,
        ...NOT_SUPPORTED,
      ],
    },
  ],
};
