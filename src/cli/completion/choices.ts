/** What the arguments and flags of commands may be, as far as a shell can be told. */
import type { Source } from "./candidates.ts";

type Arguments = Source | "files" | "directories";

/** By the command's name in its group, or below `network`, `volume`, `context` and so on by both. A list is one per position, the last for all that follow. */
const ARGUMENTS: Readonly<Record<string, Arguments | readonly (Arguments | undefined)[]>> = {
  attach: ["running containers", undefined],
  build: "directories",
  commit: ["all containers", undefined],
  "context export": ["contexts", "files"],
  "context import": [undefined, "files"],
  "context inspect": "contexts",
  "context rm": "contexts",
  "context update": ["contexts", undefined],
  "context use": ["contexts", undefined],
  cp: "files",
  create: ["images", "files"],
  diff: ["all containers", undefined],
  exec: ["running containers", "files"],
  export: ["all containers", undefined],
  history: ["images", undefined],
  "image inspect": "images",
  "image rm": "images",
  images: ["images", undefined],
  "image ls": ["images", undefined],
  import: ["files", undefined],
  inspect: "all containers",
  kill: "running containers",
  load: "files",
  logs: ["all containers", undefined],
  "network connect": ["networks", "all containers", undefined],
  "network disconnect": ["networks", "all containers", undefined],
  "network inspect": "networks",
  "network rm": "networks",
  pause: "running containers",
  port: ["all containers", undefined],
  push: ["images", undefined],
  rename: ["all containers", undefined],
  restart: "all containers",
  rm: "all containers",
  rmi: "images",
  run: ["images", "files"],
  save: "images",
  start: "stopped containers",
  stats: "running containers",
  stop: "running containers",
  tag: "images",
  top: ["running containers", undefined],
  unpause: "paused containers",
  update: "all containers",
  "volume inspect": "volumes",
  "volume rm": "volumes",
  wait: "running containers",
};

/** What can be argument number `position` (from 0) of a command. Undefined: nothing that is known. */
export function argumentSource(path: string, position: number): Arguments | undefined {
  const own = ARGUMENTS[path] ?? ARGUMENTS[path.replace(/^(container|image|builder|buildx|system) /, "")];
  if (own === undefined || typeof own === "string") return own;
  return own[Math.min(position, own.length - 1)];
}

const PLATFORMS = [
  "linux/386",
  "linux/amd64",
  "linux/arm",
  "linux/arm/v5",
  "linux/arm/v6",
  "linux/arm/v7",
  "linux/arm64",
  "linux/ppc64le",
  "linux/riscv64",
  "linux/s390x",
];

const FLAGS: Readonly<Record<string, Source | "files" | readonly string[]>> = {
  attach: ["stdin", "stdout", "stderr"],
  "cap-add": "capabilities",
  "cap-drop": "capabilities",
  cgroupns: ["host", "private"],
  cidfile: "files",
  config: "files",
  context: "contexts",
  env: "environment",
  "env-file": "files",
  file: "files",
  from: "contexts",
  iidfile: "files",
  input: "files",
  ipc: ["container:", "host", "none", "private", "shareable"],
  "label-file": "files",
  link: "all containers",
  "log-driver": ["json-file", "local", "none"],
  "log-level": ["debug", "info", "warn", "error", "fatal", "panic"],
  network: "networks",
  output: "files",
  pid: ["container:", "host"],
  platform: PLATFORMS,
  progress: ["auto", "plain", "quiet", "rawjson", "tty"],
  pull: ["always", "missing", "never"],
  restart: ["no", "always", "on-failure", "unless-stopped"],
  signal: "signals",
  "stop-signal": "signals",
  "storage-opt": ["size="],
  tlscacert: "files",
  tlscert: "files",
  tlskey: "files",
  type: ["container", "image", "network", "volume"],
  userns: ["host"],
  uts: ["host"],
  volume: "volumes",
  "volumes-from": "all containers",
};

/** What the value of a flag can be: names from a source, or one of a few words; none when nothing is known. */
export function flagChoices(path: string, flag: string): Source | "files" | readonly string[] {
  if (flag === "driver") return path.startsWith("network") ? ["bridge", "ipvlan", "macvlan"] : ["local"];
  if (flag === "filter" && path.endsWith("events")) {
    return ["container=", "event=", "image=", "label=", "network=", "scope=", "type=", "volume="];
  }
  return FLAGS[flag] ?? [];
}
