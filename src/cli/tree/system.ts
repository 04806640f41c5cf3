/** `berth system`, `berth context`, registries, and what is about no one object. */
import type { Group, Leaf } from "../grammar/command-tree.ts";
import { leaf } from "./leaf.ts";

export const EVENTS: Leaf = leaf(
  "events",
  "Get real time events from the server",
  () => import("../commands/system/events.ts"),
);

export const INFO: Leaf = leaf("info", "Display system-wide information", () => import("../commands/system/info.ts"));

export const INSPECT: Leaf = leaf(
  "inspect",
  "Return low-level information on Docker objects",
  () => import("../commands/system/inspect.ts"),
);

export const LOGIN: Leaf = leaf("login", "Authenticate to a registry", () => import("../commands/registry/login.ts"));

export const LOGOUT: Leaf = leaf("logout", "Log out from a registry", () => import("../commands/registry/logout.ts"));

export const SEARCH: Leaf = leaf(
  "search",
  "Search Docker Hub for images",
  () => import("../commands/registry/search.ts"),
);

export const VERSION: Leaf = leaf(
  "version",
  "Show the Berth version information",
  () => import("../commands/system/version.ts"),
);

export const DAEMON: Leaf = leaf("daemon", "Run the engine", () => import("../commands/system/daemon.ts"));

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
