/** Every call on a container in every state, against Berth and against dockerd 26, side by side: see states.ts. */
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

const PROGRAMS = join(import.meta.dirname, "..", "..", ".cache", "current-docker");

/** Where Berth answers otherwise, and why. The calls are the same in every state. */
const DIFFERENCES: readonly { readonly why: string; readonly calls: RegExp }[] = [
  {
    why: "What the client got wrong is 400, and what the state forbids 409; dockerd has no class for these errors, so that they become 500",
    calls: /stop\?signal=NOPE|\/unpause$|link=1$|path=\/etc\/passwd$/,
  },
  { why: "Errors of attach are JSON as everywhere; dockerd writes plain text", calls: /\/attach/ },
  { why: "A broken archive is told more exactly", calls: / no tar$/ },
  {
    why: "dockerd renames no container that waits for its restart: its sandbox is gone",
    calls: /^restarting .*NAME-new$/,
  },
  { why: "dockerd says that containerd has no such task", calls: /^restarting .*\/resize/ },
  { why: "There are no experiments that could be enabled", calls: /\/checkpoints$/ },
];

let docker: Readonly<Record<string, string>>;
let berth: Readonly<Record<string, string>>;

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), "states-image-"));
  try {
    const archive = join(directory, "busybox.tar");
    await makeArchive(archive);
    [docker, berth] = await Promise.all([walk("dockerd", archive), walk("berth", archive)]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}, 500_000);

/** The image that both engines load, made by Berth. */
async function makeArchive(path: string): Promise<void> {
  const engine = await PrivateEngine.start();
  try {
    await makeBusybox(engine);
    await engine.ok(["save", "-o", path, "busybox"]);
  } finally {
    await engine.close();
  }
}

async function walk(engine: "dockerd" | "berth", archive: string): Promise<Readonly<Record<string, string>>> {
  const script = join(import.meta.dirname, "walk-states.ts");
  const inside = 'ip link set lo up; mount -t tmpfs tmpfs /run; "$@"; exit $?';
  const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const words = ["bash", "-c", inside, "walk", process.execPath, script, engine, join(PROGRAMS, "docker"), archive];
  const env = { PATH: `${PROGRAMS}:${process.env["PATH"]}` };
  const { exitCode, stdout, stderr } = await run("unshare", [...namespaces, ...words], { timeout: 480_000, env });
  if (exitCode !== 0) throw new Error(`the walk on ${engine} ended with ${exitCode}:\n${stderr}`);
  return JSON.parse(stdout);
}

describe("calls on a container in each state", () => {
  test("answer as dockerd does, but for the differences that have a reason", () => {
    expect(Object.keys(docker).length).toBeGreaterThan(230);
    const isKnown = (call: string): boolean => DIFFERENCES.some(({ calls }) => calls.test(call));
    const wrong = Object.keys(docker).filter((call) => berth[call] !== docker[call] && !isKnown(call));
    expect(wrong.map((call) => `${call}\ndockerd: ${docker[call]}\nberth: ${berth[call]}`)).toEqual([]);
  });

  test("differ wherever they are said to differ", () => {
    const differing = Object.keys(docker).filter((call) => berth[call] !== docker[call]);
    expect(DIFFERENCES.filter(({ calls }) => !differing.some((call) => calls.test(call)))).toEqual([]);
  });
});
