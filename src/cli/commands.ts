/** All commands, by the headings of the help. Each is loaded by a literal path, so that the compiled binary contains it. */
import type { Command } from "./grammar/command.ts";
import type { CommandTree, Group, Leaf } from "./grammar/command-tree.ts";
import { PROGRAM } from "./program.ts";

type Loader = () => Promise<{ readonly command: Command }>;

function leaf(name: string, about: string, load: Loader): Leaf {
  return { name, about, load: async () => (await load()).command };
}

const NO_SWARM =
  "This node is not a swarm manager. Berth runs the containers of one host: it has no swarm mode, and nothing to join";

/** One of docker's that Berth refuses, and why. */
function refused(name: string, about: string, reason: string): Leaf {
  const load = async (): Promise<Command> => (await import("./commands/not-supported.ts")).notSupported(about, reason);
  return { name, about, hidden: true, load };
}

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

const ATTACH = leaf(
  "attach",
  "Attach local standard input, output, and error streams to a running container",
  () => import("./commands/attach.ts"),
);
const HISTORY_OF_BUILDS: Group = {
  name: "history",
  about: "Show how builds went and why their steps ran",
  commands: [
    leaf("inspect", "Inspect a build record", () => import("./commands/build-history-inspect.ts")),
    leaf("logs", "Print the whole output of a build", () => import("./commands/build-history-logs.ts")),
    { ...leaf("ls", "List build records", () => import("./commands/build-history-ls.ts")), aliases: ["list"] },
    { ...leaf("rm", "Remove build records", () => import("./commands/build-history-rm.ts")), aliases: ["remove"] },
  ],
};
const DEBUG_BUILD = leaf(
  "debug",
  "Open a shell in the root of the step that failed",
  () => import("./commands/build-debug.ts"),
);
const BUILD: Leaf = {
  ...leaf("build", "Build an image from a Dockerfile", () => import("./commands/build.ts")),
  below: [DEBUG_BUILD, HISTORY_OF_BUILDS],
};
const COMMIT = leaf("commit", "Create a new image from a container's changes", () => import("./commands/commit.ts"));
const CP = leaf(
  "cp",
  "Copy files/folders between a container and the local filesystem",
  () => import("./commands/cp.ts"),
);
const CREATE = leaf("create", "Create a new container", () => import("./commands/create.ts"));
const DIFF = leaf(
  "diff",
  "Inspect changes to files or directories on a container's filesystem",
  () => import("./commands/diff.ts"),
);
const EVENTS = leaf("events", "Get real time events from the server", () => import("./commands/events.ts"));
const EXEC = leaf("exec", "Execute a command in a running container", () => import("./commands/exec.ts"));
const EXPORT = leaf("export", "Export a container's filesystem as a tar archive", () => import("./commands/export.ts"));
const HISTORY = leaf("history", "Show the history of an image", () => import("./commands/history.ts"));
const IMAGES = leaf("images", "List images", () => import("./commands/images.ts"));
const IMPORT = leaf(
  "import",
  "Import the contents from a tarball to create a filesystem image",
  () => import("./commands/import.ts"),
);
const INFO = leaf("info", "Display system-wide information", () => import("./commands/info.ts"));
const INSPECT = leaf(
  "inspect",
  "Return low-level information on Docker objects",
  () => import("./commands/inspect.ts"),
);
const KILL = leaf("kill", "Kill one or more running containers", () => import("./commands/kill.ts"));
const LOAD = leaf("load", "Load an image from a tar archive or STDIN", () => import("./commands/load.ts"));
const LOGIN = leaf("login", "Authenticate to a registry", () => import("./commands/login.ts"));
const LOGOUT = leaf("logout", "Log out from a registry", () => import("./commands/logout.ts"));
const LOGS = leaf("logs", "Fetch the logs of a container", () => import("./commands/logs.ts"));
const PAUSE = leaf("pause", "Pause all processes within one or more containers", () => import("./commands/pause.ts"));
const PORT = leaf(
  "port",
  "List port mappings or a specific mapping for the container",
  () => import("./commands/port.ts"),
);
const PS = leaf("ps", "List containers", () => import("./commands/ps.ts"));
const PULL = leaf("pull", "Download an image from a registry", () => import("./commands/pull.ts"));
const PUSH = leaf("push", "Upload an image to a registry", () => import("./commands/push.ts"));
const RENAME = leaf("rename", "Rename a container", () => import("./commands/rename.ts"));
const RESTART = leaf("restart", "Restart one or more containers", () => import("./commands/restart.ts"));
const RM = leaf("rm", "Remove one or more containers", () => import("./commands/rm.ts"));
const RMI = leaf("rmi", "Remove one or more images", () => import("./commands/rmi.ts"));
const RUN = leaf("run", "Create and run a new container from an image", () => import("./commands/run.ts"));
const SAVE = leaf(
  "save",
  "Save one or more images to a tar archive (streamed to STDOUT by default)",
  () => import("./commands/save.ts"),
);
const SEARCH = leaf("search", "Search Docker Hub for images", () => import("./commands/search.ts"));
const START = leaf("start", "Start one or more stopped containers", () => import("./commands/start.ts"));
const STOP = leaf("stop", "Stop one or more running containers", () => import("./commands/stop.ts"));
const STATS = leaf(
  "stats",
  "Display a live stream of container(s) resource usage statistics",
  () => import("./commands/stats.ts"),
);
const TAG = leaf("tag", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE", () => import("./commands/tag.ts"));
const TOP = leaf("top", "Display the running processes of a container", () => import("./commands/top.ts"));
const UNPAUSE = leaf(
  "unpause",
  "Unpause all processes within one or more containers",
  () => import("./commands/unpause.ts"),
);
const UPDATE = leaf("update", "Update configuration of one or more containers", () => import("./commands/update.ts"));
const VERSION = leaf("version", "Show the Berth version information", () => import("./commands/version.ts"));
const WAIT = leaf(
  "wait",
  "Block until one or more containers stop, then print their exit codes",
  () => import("./commands/wait.ts"),
);
const DAEMON = leaf("daemon", "Run the engine", () => import("./commands/daemon.ts"));

const DISK_USAGE_OF_BUILDS = leaf("du", "Show what the build cache costs", () => import("./commands/builder-du.ts"));
const BUILDER_PRUNE = leaf("prune", "Remove build cache", () => import("./commands/builder-prune.ts"));

const CACHE_MOUNT: Group = {
  name: "cache-mount",
  about: "Manage the caches of RUN --mount=type=cache",
  commands: [
    leaf("export", "Write a cache as a tar archive", () => import("./commands/cache-mount-export.ts")),
    leaf("import", "Make or replace a cache from a tar archive", () => import("./commands/cache-mount-import.ts")),
    { ...leaf("ls", "List caches", () => import("./commands/cache-mount-ls.ts")), aliases: ["list"] },
    { ...leaf("rm", "Remove caches", () => import("./commands/cache-mount-rm.ts")), aliases: ["remove"] },
  ],
};

const BUILDER: Group = {
  name: "builder",
  about: "Manage builds",
  commands: [BUILD, CACHE_MOUNT, DEBUG_BUILD, DISK_USAGE_OF_BUILDS, HISTORY_OF_BUILDS, BUILDER_PRUNE],
};

const IMAGETOOLS: Group = {
  name: "imagetools",
  about: "Commands to work on images in registry",
  commands: [
    leaf("create", "Create a new image based on source images", () => import("./commands/imagetools-create.ts")),
    leaf("inspect", "Show details of an image in the registry", () => import("./commands/imagetools-inspect.ts")),
  ],
};

const ONE_BUILDER =
  'additional instances of driver "docker" cannot be created: Berth builds in its engine, and "berth buildx" uses that of the context in use';

/** Scripts written for docker's plugin. */
const BUILDX: Group = {
  ...BUILDER,
  name: "buildx",
  hidden: true,
  commands: [
    ...BUILDER.commands,
    refused("bake", "Build from a file", "bake files are not supported: run berth build for each target"),
    refused("create", "Create a new builder instance", ONE_BUILDER),
    IMAGETOOLS,
    leaf("inspect", "Inspect current builder instance", () => import("./commands/buildx-inspect.ts")),
    leaf("ls", "List builder instances", () => import("./commands/buildx-ls.ts")),
    refused("rm", "Remove one or more builder instances", ONE_BUILDER),
    leaf("use", "Set the current builder instance", () => import("./commands/buildx-use.ts")),
    leaf("version", "Show buildx version information", () => import("./commands/buildx-version.ts")),
  ],
};

const CONTEXT: Group = {
  name: "context",
  about: "Manage contexts",
  commands: [
    leaf("create", "Create a context", () => import("./commands/context-create.ts")),
    leaf(
      "export",
      "Export a context to a tar archive FILE or a tar stream on STDOUT.",
      () => import("./commands/context-export.ts"),
    ),
    leaf("import", "Import a context from a tar or zip file", () => import("./commands/context-import.ts")),
    leaf(
      "inspect",
      "Display detailed information on one or more contexts",
      () => import("./commands/context-inspect.ts"),
    ),
    { ...leaf("ls", "List contexts", () => import("./commands/context-ls.ts")), aliases: ["list"] },
    {
      ...leaf("rm", "Remove one or more contexts", () => import("./commands/context-rm.ts")),
      aliases: ["remove"],
    },
    leaf("show", "Print the name of the current context", () => import("./commands/context-show.ts")),
    leaf("update", "Update a context", () => import("./commands/context-update.ts")),
    leaf("use", "Set the current docker context", () => import("./commands/context-use.ts")),
  ],
};

const COMPLETION: Group = {
  name: "completion",
  about: "Generate the autocompletion script for the specified shell",
  hidden: true,
  commands: ["bash", "fish", "powershell", "zsh"].map((shell) => {
    const about = `Generate the autocompletion script for ${shell}`;
    return {
      name: shell,
      about,
      load: async () => (await import("./completion/completion-command.ts")).completionCommand(shell, about),
    };
  }),
};

const CONTAINER: Group = {
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
      () => import("./commands/container-inspect.ts"),
    ),
    KILL,
    LOGS,
    { ...PS, name: "ls", aliases: ["list", "ps"] },
    PAUSE,
    PORT,
    leaf("prune", "Remove all stopped containers", () => import("./commands/container-prune.ts")),
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

const IMAGE: Group = {
  name: "image",
  about: "Manage images",
  commands: [
    BUILD,
    HISTORY,
    IMPORT,
    leaf("inspect", "Display detailed information on one or more images", () => import("./commands/image-inspect.ts")),
    LOAD,
    { ...IMAGES, name: "ls", aliases: ["list"] },
    leaf("prune", "Remove unused images", () => import("./commands/image-prune.ts")),
    PULL,
    PUSH,
    { ...RMI, name: "rm", aliases: ["remove"] },
    SAVE,
    TAG,
  ],
};

const MANIFEST: Group = {
  name: "manifest",
  about: "Manage image manifests and manifest lists",
  commands: [
    leaf(
      "annotate",
      "Add additional information to a local image manifest",
      () => import("./commands/manifest-annotate.ts"),
    ),
    leaf(
      "create",
      "Create a local manifest list for annotating and pushing to a registry",
      () => import("./commands/manifest-create.ts"),
    ),
    leaf("inspect", "Display an image manifest, or manifest list", () => import("./commands/manifest-inspect.ts")),
    leaf("push", "Push a manifest list to a repository", () => import("./commands/manifest-push.ts")),
    leaf("rm", "Delete one or more manifest lists from local storage", () => import("./commands/manifest-rm.ts")),
  ],
};

const NETWORK: Group = {
  name: "network",
  about: "Manage networks",
  commands: [
    leaf("connect", "Connect a container to a network", () => import("./commands/network-connect.ts")),
    leaf("create", "Create a network", () => import("./commands/network-create.ts")),
    leaf("disconnect", "Disconnect a container from a network", () => import("./commands/network-disconnect.ts")),
    leaf(
      "inspect",
      "Display detailed information on one or more networks",
      () => import("./commands/network-inspect.ts"),
    ),
    { ...leaf("ls", "List networks", () => import("./commands/network-ls.ts")), aliases: ["list"] },
    leaf("prune", "Remove all unused networks", () => import("./commands/network-prune.ts")),
    {
      ...leaf("rm", "Remove one or more networks", () => import("./commands/network-rm.ts")),
      aliases: ["remove"],
    },
  ],
};

const SYSTEM: Group = {
  name: "system",
  about: "Manage Berth",
  commands: [
    leaf("check", "Verify every layer, blob and image against its digest", () => import("./commands/system-check.ts")),
    leaf("df", "Show disk usage", () => import("./commands/system-df.ts")),
    {
      ...leaf(
        "dial-stdio",
        "Proxy the stdio stream to the daemon connection",
        () => import("./commands/system-dial-stdio.ts"),
      ),
      hidden: true,
    },
    EVENTS,
    INFO,
    leaf("prune", "Remove unused data", () => import("./commands/system-prune.ts")),
  ],
};

const VOLUME: Group = {
  name: "volume",
  about: "Manage volumes",
  commands: [
    leaf("create", "Create a volume", () => import("./commands/volume-create.ts")),
    leaf(
      "inspect",
      "Display detailed information on one or more volumes",
      () => import("./commands/volume-inspect.ts"),
    ),
    { ...leaf("ls", "List volumes", () => import("./commands/volume-ls.ts")), aliases: ["list"] },
    leaf("prune", "Remove unused local volumes", () => import("./commands/volume-prune.ts")),
    refused("update", "Update a volume (cluster volumes only)", `${NO_SWARM}: there are no cluster volumes to update`),
    { ...leaf("rm", "Remove one or more volumes", () => import("./commands/volume-rm.ts")), aliases: ["remove"] },
  ],
};

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
