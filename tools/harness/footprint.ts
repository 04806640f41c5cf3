import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./child.ts";
import type { PrivateEngine } from "./private-engine.ts";

/** What an engine holds of this machine, by kind; each entry is the name of one thing. Layer mounts, which may stay idle for a while, are left out. */
export interface Footprint {
  readonly mounts: readonly string[];
  readonly interfaces: readonly string[];
  readonly publishedPorts: readonly string[];
  readonly cgroups: readonly string[];
  readonly processes: readonly string[];
  readonly namespaces: readonly string[];
  /** Bundles, the runtime's own state, sockets, exit codes. */
  readonly runtimeFiles: readonly string[];
  /** Writable directories and logs. */
  readonly containerFiles: readonly string[];
  /** Half-written things. */
  readonly temporaryFiles: readonly string[];
}

/** The name in this engine's bridge, veth pairs, nft table and cgroup. */
export function engineName(engine: PrivateEngine): string {
  return createHash("sha256").update(engine.dataRoot).digest("hex").slice(0, 8);
}

/** Looks at the kernel and the disk, not at what the engine says. */
export async function footprint(engine: PrivateEngine): Promise<Footprint> {
  const name = engineName(engine);
  const { dataRoot, execRoot } = engine;
  const layerMounts = join(execRoot, "m", "l");
  const [links, rules] = await Promise.all([
    run("ip", ["-o", "link"]),
    run("nft", ["list", "table", "ip", `berth_${name}`]),
  ]);
  const inData = (directory: string): string[] => namesIn(join(dataRoot, directory));
  const inExec = (...directory: string[]): string[] => namesIn(join(execRoot, ...directory));
  return {
    mounts: mountPoints().filter((path) => path.startsWith(`${execRoot}/`) && !path.startsWith(layerMounts)),
    interfaces: [...links.stdout.matchAll(/^\d+: ([^:@]+)/gm)]
      .map(([, link]) => link ?? "")
      .filter((link) => link.startsWith(`v${name.slice(0, 6)}`)),
    publishedPorts: [...rules.stdout.matchAll(/\d+ : (\d+\.){3}\d+ \. \d+/g)].map(([text]) => text),
    cgroups: unique(
      namesIn("/sys/fs/cgroup").flatMap((tree) => childDirectories(join("/sys/fs/cgroup", tree, `berth-${name}`))),
    ),
    processes: processesNaming(execRoot),
    namespaces: inExec("netns"),
    runtimeFiles: [
      ...inExec("bundles"),
      ...inExec("runtime", "runtime"),
      ...inExec("runtime", "sockets"),
      ...inExec("exits"),
    ],
    containerFiles: [...inData("snapshots"), ...inData("containers")],
    temporaryFiles: [
      ...inData("tmp"),
      ...inExec("build"),
      ...["layers", "blobs/sha256"].flatMap(inData).filter((file) => file.startsWith(".")),
    ],
  };
}

/** The largest footprint that so many running and stopped containers may have. */
export function expectedFootprint(running: number, all: number): Record<keyof Footprint, number> {
  return {
    // A root and a network namespace.
    mounts: 2 * running,
    interfaces: running,
    publishedPorts: running,
    cgroups: running,
    processes: running,
    namespaces: running,
    runtimeFiles: 3 * running,
    containerFiles: 2 * all,
    temporaryFiles: 0,
  };
}

/** Everything in the kernel that bears this engine's name or lies below its directories, layer mounts and the bridge too. */
export async function traces(engine: PrivateEngine): Promise<string[]> {
  const name = engineName(engine);
  const [links, rules, { cgroups, processes }] = await Promise.all([
    run("ip", ["-o", "link"]),
    run("nft", ["list", "ruleset"]),
    footprint(engine),
  ]);
  const bearing = (text: string): string[] =>
    text.split("\n").filter((line) => line.includes(name) || line.includes(`v${name.slice(0, 6)}`));
  return [
    ...mountPoints().filter((path) => path.startsWith(engine.directory)),
    ...bearing(links.stdout),
    ...bearing(rules.stdout),
    ...namesIn("/sys/fs/cgroup").filter((tree) => existsSync(join("/sys/fs/cgroup", tree, `berth-${name}`))),
    ...cgroups,
    ...processes,
  ];
}

function mountPoints(): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "");
}

/** Command lines of processes, the engine itself apart, that name a path below `directory`. */
function processesNaming(directory: string): string[] {
  return namesIn("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => commandLine(pid))
    .filter((words) => words.some((word) => word.includes(`${directory}/`)) && words[1] !== "daemon")
    .map((words) => words.join(" "));
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

function childDirectories(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
