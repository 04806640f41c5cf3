/** Dockerfiles built by buildx with Berth and with dockerd 26's BuildKit, side by side: see dockerfile-cases.ts and dockerfile-corners.ts. */
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { CURRENT_DOCKER, HAS_CURRENT_DOCKER } from "../../tools/harness/current-docker.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { CASES } from "./dockerfile-cases.ts";
import { CORNERS } from "./dockerfile-corners.ts";

const ALL = [...CASES, ...CORNERS];

type Outcomes = Readonly<Record<string, string>>;

let docker: Outcomes;
let berth: Outcomes;

beforeAll(async () => {
  if (!HAS_CURRENT_DOCKER) return;
  const directory = mkdtempSync(join(tmpdir(), "dockerfiles-image-"));
  try {
    const archive = join(directory, "busybox.tar");
    await makeArchive(archive);
    [docker, berth] = await Promise.all([walk("dockerd", archive), walk("berth", archive)]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}, 900_000);

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

async function walk(engine: "dockerd" | "berth", archive: string): Promise<Outcomes> {
  const script = join(import.meta.dirname, "walk-dockerfiles.ts");
  const inside = 'ip link set lo up; mount -t tmpfs tmpfs /run; "$@"; exit $?';
  const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const words = [
    "bash",
    "-c",
    inside,
    "walk",
    process.execPath,
    script,
    engine,
    join(CURRENT_DOCKER, "docker"),
    archive,
  ];
  const env = { PATH: `${CURRENT_DOCKER}:${process.env["PATH"]}` };
  const { exitCode, stdout, stderr } = await run("unshare", [...namespaces, ...words], { timeout: 880_000, env });
  if (exitCode !== 0) throw new Error(`the walk on ${engine} ended with ${exitCode}:\n${stderr}`);
  return JSON.parse(stdout);
}

describe.skipIf(!HAS_CURRENT_DOCKER)("Dockerfiles", () => {
  test("give with Berth what they give with BuildKit, but for the differences that have a reason", () => {
    expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
    const wrong = ALL.filter(({ name, why }) => why === undefined && berth[name] !== docker[name]);
    expect(wrong.map(({ name }) => ({ name, ...difference(docker[name] ?? "", berth[name] ?? "") }))).toEqual([]);
  });

  test("differ wherever they are said to differ", () => {
    expect(ALL.filter(({ name, why }) => why !== undefined && berth[name] === docker[name])).toEqual([]);
  });
});

/** The lines that only one of them has. */
function difference(docker: string, berth: string): { readonly docker: string[]; readonly berth: string[] } {
  const [left, right] = [docker.split("\n"), berth.split("\n")];
  return {
    docker: left.filter((line) => !right.includes(line)),
    berth: right.filter((line) => !left.includes(line)),
  };
}
