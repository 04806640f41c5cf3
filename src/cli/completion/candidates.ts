/** What the engine and the configuration have to offer for a word. */
import { constants } from "node:os";
import { listContainers } from "#client/container-read.ts";
import type { Engine } from "#client/engine.ts";
import { listImages } from "#client/images.ts";
import { listNetworks } from "#client/networks.ts";
import { listVolumes } from "#client/volumes.ts";
import { humanSize } from "#formats/go-units.ts";
import { ContextStore, DEFAULT_CONTEXT, dockerEndpointOf } from "../context/context-store.ts";
import type { CommandContext } from "../grammar/command.ts";
import { shortId } from "../output/texts.ts";

export type Source =
  | "all containers"
  | "running containers"
  | "paused containers"
  | "stopped containers"
  | "images"
  | "networks"
  | "volumes"
  | "contexts"
  | "signals"
  | "environment"
  | "capabilities";

const STATES: Readonly<Record<string, readonly string[]>> = {
  "running containers": ["running"],
  "paused containers": ["paused"],
  "stopped containers": ["created", "exited", "dead"],
};

/** https://man7.org/linux/man-pages/man7/capabilities.7.html */
const CAPABILITIES =
  "AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM";

/** Names from `source`, with a tab and what they stand for where the engine tells more. Throws as the engine's client does. */
export async function candidatesFrom(source: Source, context: CommandContext): Promise<readonly string[]> {
  switch (source) {
    case "images":
      return (await listImages(context.engine, {})).flatMap(({ Id, RepoTags, Size }) =>
        RepoTags.map((tag) => `${tag}\t${shortId(Id)}, ${humanSize(Size, 3)}`),
      );
    case "networks":
      return (await listNetworks(context.engine)).map(({ Name, Driver }) => `${Name}\t${Driver}`);
    case "volumes":
      return (await listVolumes(context.engine)).map(({ Name, Driver }) => `${Name}\t${Driver}`);
    case "contexts":
      return contexts(context);
    case "signals":
      return Object.keys(constants.signals).map((name) => name.replace(/^SIG/, ""));
    case "environment":
      return Object.keys(context.environment);
    case "capabilities":
      return ["ALL", ...CAPABILITIES.split(" ").map((name) => `CAP_${name}`)];
    default:
      return containers(context.engine, STATES[source]);
  }
}

async function containers(engine: Engine, states: readonly string[] | undefined): Promise<readonly string[]> {
  const found = await listContainers(engine, { all: states?.[0] !== "running" });
  return found
    .filter(({ State }) => states === undefined || states.includes(State))
    .map(({ Names, Image, Status }) => `${(Names[0] ?? "").replace(/^\//, "")}\t${Image}, ${Status}`);
}

function contexts({ configDirectory, selection }: CommandContext): readonly string[] {
  const stored = new ContextStore(configDirectory).list();
  return [
    `${DEFAULT_CONTEXT}\t${selection.defaultHost}`,
    ...stored.map((context) => `${context.Name}\t${dockerEndpointOf(context).Host ?? ""}`),
  ];
}
