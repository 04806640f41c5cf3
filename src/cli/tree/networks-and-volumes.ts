/** `berth network` and `berth volume`. */
import type { Group } from "../grammar/command-tree.ts";
import { leaf, NO_SWARM, refused } from "./leaf.ts";

export const NETWORK: Group = {
  name: "network",
  about: "Manage networks",
  commands: [
    leaf("connect", "Connect a container to a network", () => import("../commands/network/connect.ts")),
    leaf("create", "Create a network", () => import("../commands/network/create.ts")),
    leaf("disconnect", "Disconnect a container from a network", () => import("../commands/network/disconnect.ts")),
    leaf(
      "inspect",
      "Display detailed information on one or more networks",
      () => import("../commands/network/inspect.ts"),
    ),
    { ...leaf("ls", "List networks", () => import("../commands/network/ls.ts")), aliases: ["list"] },
    leaf("prune", "Remove all unused networks", () => import("../commands/network/prune.ts")),
    {
      ...leaf("rm", "Remove one or more networks", () => import("../commands/network/rm.ts")),
      aliases: ["remove"],
    },
  ],
};

export const VOLUME: Group = {
  name: "volume",
  about: "Manage volumes",
  commands: [
    leaf("create", "Create a volume", () => import("../commands/volume/create.ts")),
    leaf(
      "inspect",
      "Display detailed information on one or more volumes",
      () => import("../commands/volume/inspect.ts"),
    ),
    { ...leaf("ls", "List volumes", () => import("../commands/volume/ls.ts")), aliases: ["list"] },
    leaf("prune", "Remove unused local volumes", () => import("../commands/volume/prune.ts")),
    refused("update", "Update a volume (cluster volumes only)", `${NO_SWARM}: there are no cluster volumes to update`),
    { ...leaf("rm", "Remove one or more volumes", () => import("../commands/volume/rm.ts")), aliases: ["remove"] },
  ],
};
