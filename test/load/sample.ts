import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../tools/harness/child.ts";
import { engineName, footprint } from "../../tools/harness/footprint.ts";
import type { PrivateEngine } from "../../tools/harness/private-engine.ts";

/** Numbers of things that the engine holds, by kind; `memory` in mebibytes. */
export type Sample = Readonly<Record<string, number>>;

/** What may be more at the end than after the warm-up, by kind; everything else may not grow at all. */
const ALLOWED: Readonly<Record<string, (before: number) => number>> = {
  // Heaps breathe: what counts is that they do not grow with the work.
  memory: (before) => Math.max(40, before * 0.3),
  // Threads of the runtime's pools come when there is much to do.
  threads: () => 8,
  // Idle layers stay mounted for a while.
  "layer mounts": () => 6,
};

/** Looks at the engine's process, at what it has in the kernel, and at its files; nothing is asked of the engine. */
export async function takeSample(engine: PrivateEngine): Promise<Sample> {
  const [held, rules, links] = await Promise.all([footprint(engine), rulesOf(engine), run("ip", ["-o", "neigh"])]);
  const layers = mountsBelow(join(engine.execRoot, "m", "l"));
  return {
    memory: Math.round(statusOf(engine.pid, "VmRSS") / 1024),
    threads: statusOf(engine.pid, "Threads"),
    ...descriptorKinds(engine.pid),
    children: childrenOf(engine.pid),
    ...Object.fromEntries(Object.entries(held).map(([kind, names]) => [kind, names.length])),
    "layer mounts": layers,
    "nft lines": rules,
    "neighbours of bridges": links.stdout.split("\n").filter((line) => line.includes(engineName(engine))).length,
    ...filesBelow(engine.execRoot),
    volumes: namesIn(join(engine.dataRoot, "volumes")).length,
  };
}

/** One line for each kind that grew by more than it may. */
export function growth(before: Sample, after: Sample): readonly string[] {
  return Object.entries(after).flatMap(([kind, now]) => {
    const then = before[kind] ?? 0;
    const most = ALLOWED[kind]?.(then) ?? 0;
    return now - then > most ? [`${kind} grew from ${then} to ${now}`] : [];
  });
}

/** Open descriptors by what they are: `fd socket`, `fd inotify`, `fd file`. */
function descriptorKinds(pid: number): Sample {
  const counts: Record<string, number> = {};
  for (const name of namesIn(`/proc/${pid}/fd`)) {
    const kind = `fd ${kindOf(targetOf(`/proc/${pid}/fd/${name}`))}`;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

function kindOf(target: string): string {
  const [, special] = /^(?:anon_inode:)?\[?([a-z]+)\]?(?::\[\d+\])?$/.exec(target) ?? [];
  return special ?? "file";
}

function targetOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "gone";
  }
}

function statusOf(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
}

function childrenOf(pid: number): number {
  const threads = namesIn(`/proc/${pid}/task`);
  const children = threads.flatMap((thread) => readText(`/proc/${pid}/task/${thread}/children`).trim().split(/\s+/));
  return children.filter(Boolean).length;
}

function mountsBelow(directory: string): number {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return lines.filter((line) => line.split(" ")[4]?.startsWith(`${directory}/`)).length;
}

/** Lines of the engine's own tables: chains, rules, elements of sets, however many stand in a line. */
async function rulesOf(engine: PrivateEngine): Promise<number> {
  const { stdout } = await run("nft", ["list", "tables"]);
  const own = stdout.split("\n").filter((line) => line.includes(engineName(engine)));
  const texts = await Promise.all(own.map((line) => run("nft", ["list", ...line.trim().split(" ")])));
  return texts.reduce((sum, { stdout: text }) => sum + text.split(/\n|, /).length, 0);
}

/** Files by the directory of the exec root; mounts, whose files are the containers' own, are not entered. */
function filesBelow(execRoot: string): Sample {
  const entered = namesIn(execRoot).filter((name) => name !== "m" && name !== "netns");
  return Object.fromEntries(entered.map((name) => [`files in ${name}`, countTree(join(execRoot, name))]));
}

function countTree(path: string): number {
  try {
    return readdirSync(path, { recursive: true }).length;
  } catch {
    return 1;
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
