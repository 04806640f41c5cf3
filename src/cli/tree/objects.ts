/** Commands by what they are about: `berth image`, `berth container`. */
import type { Group } from "../grammar/command-tree.ts";
import {
  ATTACH,
  COMMIT,
  CP,
  CREATE,
  DIFF,
  EVENTS,
  EXEC,
  EXPORT,
  HISTORY,
  IMAGES,
  IMPORT,
  INFO,
  KILL,
  LOAD,
  LOGS,
  PAUSE,
  PORT,
  PS,
  PULL,
  PUSH,
  RENAME,
  RESTART,
  RM,
  RMI,
  RUN,
  SAVE,
  START,
  STATS,
  STOP,
  TAG,
  TOP,
  UNPAUSE,
  UPDATE,
  WAIT,
} from "./both-forms.ts";
import { BUILD } from "./builds.ts";
import { leaf, NO_SWARM, refused } from "./leaf.ts";

export const CONTEXT: Group = {
  name: "context",
  about: "Manage contexts",
  commands: [
    leaf("create", "Create a context", () => import("../commands/context/create.ts")),
    leaf(
      "export",
      "Export a context to a tar archive FILE or a tar stream on STDOUT.",
      () => import("../commands/context/export.ts"),
    ),
    leaf("import", "Import a context from a tar or zip file", () => import("../commands/context/import.ts")),
    leaf(
      "inspect",
      "Display detailed information on one or more contexts",
      () => import("../commands/context/inspect.ts"),
    ),
    { ...leaf("ls", "List contexts", () => import("../commands/context/ls.ts")), aliases: ["list"] },
    {
      ...leaf("rm", "Remove one or more contexts", () => import("../commands/context/rm.ts")),
      aliases: ["remove"],
    },
    leaf("show", "Print the name of the current context", () => import("../commands/context/show.ts")),
    leaf("update", "Update a context", () => import("../commands/context/update.ts")),
    leaf("use", "Set the current docker context", () => import("../commands/context/use.ts")),
  ],
};

export const COMPLETION: Group = {
  name: "completion",
  about: "Generate the autocompletion script for the specified shell",
  hidden: true,
  commands: ["bash", "fish", "powershell", "zsh"].map((shell) => {
    const about = `Generate the autocompletion script for ${shell}`;
    return {
      name: shell,
      about,
      load: async () => (await import("../completion/completion-command.ts")).completionCommand(shell, about),
    };
  }),
};

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

export const SYSTEM: Group = {
  name: "system",
  about: "Manage Berth",
  commands: [
    leaf("check", "Verify every layer, blob and image against its digest", () => import("../commands/system/check.ts")),
    leaf("df", "Show disk usage", () => import("../commands/system/df.ts")),
    {
      ...leaf(
        "dial-stdio",
        "Proxy the stdio stream to the daemon connection",
        () => import("../commands/system/dial-stdio.ts"),
      ),
      hidden: true,
    },
    EVENTS,
    INFO,
    leaf("prune", "Remove unused data", () => import("../commands/system/prune.ts")),
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
