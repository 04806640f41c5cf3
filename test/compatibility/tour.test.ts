/** The docker command line against Berth and against dockerd 26, side by side: see tour.ts. */
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { type Compared, compare, describeDifference } from "./comparison.ts";
import { DIFFERENCES } from "./differences.ts";
import { renderDocument } from "./document.ts";
import type { StepResult } from "./step.ts";
import { TOUR } from "./tour.ts";

/** Docker 26: see tools/current-docker.sh. */
const PROGRAMS = join(import.meta.dirname, "..", "..", ".cache", "current-docker");
const DOCUMENT = join(import.meta.dirname, "..", "..", "docs", "compatibility.md");

let compared: readonly Compared[];

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), "tour-image-"));
  try {
    const archive = join(directory, "busybox.tar");
    await makeArchive(archive);
    const parts = await Promise.all(Object.keys(TOUR).map((part) => comparePart(part, archive)));
    compared = parts.flat();
  } finally {
    rmSync(directory, { recursive: true });
  }
}, 1_500_000);

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

/**
 * What surprises is looked at again: now and then dockerd loses the output of a short container, or lists what it has in another order. A fault of
 * Berth's surprises twice.
 */
async function comparePart(part: string, archive: string): Promise<Compared[]> {
  const first = await walkBoth(part, archive);
  if (first.every(isExpected)) return first;
  const second = await walkBoth(part, archive);
  return first.map((step, index) => (isExpected(step) ? step : (second[index] ?? step)));
}

const KNOWN: ReadonlySet<string> = new Set(DIFFERENCES.flatMap(({ steps }) => steps));

function isExpected({ step, isSame }: Compared): boolean {
  return isSame !== KNOWN.has(step);
}

async function walkBoth(part: string, archive: string): Promise<Compared[]> {
  const [docker, berth] = await Promise.all([walk("dockerd", archive, part), walk("berth", archive, part)]);
  return compare(docker, berth);
}

/** Walks a part of the tour in namespaces of its own: bridges, rules and mounts go with them, and an empty /run hides this machine's own engines. */
async function walk(engine: "dockerd" | "berth", archive: string, part: string): Promise<readonly StepResult[]> {
  const script = join(import.meta.dirname, "walk-tour.ts");
  const inside = 'ip link set lo up; mount -t tmpfs tmpfs /run; "$@"; exit $?';
  const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const words = [
    ...namespaces,
    "bash",
    "-c",
    inside,
    "walk",
    process.execPath,
    script,
    engine,
    PROGRAMS,
    archive,
    part,
  ];
  const { exitCode, stdout, stderr } = await run("unshare", words, { timeout: 700_000 });
  if (exitCode !== 0) throw new Error(`the tour (${part}) on ${engine} ended with ${exitCode}:\n${stderr}`);
  return JSON.parse(stdout);
}

describe("the docker command line", () => {
  test("does with Berth what it does with dockerd, but for the differences that have a reason", () => {
    expect(compared.length).toBeGreaterThan(600);
    expect(compared.filter(({ step, isSame }) => !isSame && !KNOWN.has(step)).map(describeDifference)).toEqual([]);
  });

  test("differs wherever it is said to differ", () => {
    const differing = new Set(compared.filter(({ isSame }) => !isSame).map(({ step }) => step));
    expect(DIFFERENCES.flatMap(({ steps }) => steps).filter((step) => !differing.has(step))).toEqual([]);
  });

  test("is described by docs/compatibility.md", () => {
    const text = renderDocument(compared, DIFFERENCES);
    if (process.env["BERTH_WRITE_DOCS"] === "1") writeFileSync(DOCUMENT, text);
    expect(readFileSync(DOCUMENT, "utf8")).toBe(text);
  });
});
