/** The docker command line against Berth and against dockerd 26, side by side: see tour.ts. What dockerd did is recorded (recording.ts). */
import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Compared, compare, describeDifference } from "./comparison.ts";
import { DIFFERENCES } from "./differences.ts";
import { renderDocument } from "./document.ts";
import { Recording } from "./recording.ts";
import type { StepResult } from "./step.ts";
import { TOUR } from "./tour.ts";
import { type Engine, walkAlone, withImage } from "./walk.ts";

const DOCUMENT = join(import.meta.dirname, "..", "..", "docs", "compatibility.md");
const SOURCES = [
  ...["walk-tour.ts", "transcript.ts", "normalise.ts"],
  ...["compose/compose.yaml", "compose/changed.yaml", "compose/fewer.yaml", "compose/web/Dockerfile"],
];

type Transcript = readonly StepResult[];

let compared: readonly Compared[];

beforeAll(async () => {
  const recording = new Recording<Transcript>("tour", SOURCES);
  await withImage(async (archive) => {
    const walkAll = async (engine: Engine, parts: readonly string[]): Promise<Record<string, Transcript>> =>
      Object.fromEntries(await Promise.all(parts.map(async (part) => [part, await walk(engine, archive, part)])));
    const [docker, berth] = await Promise.all([
      recording.results(TOUR, (parts) => walkAll("dockerd", parts)),
      walkAll("berth", Object.keys(TOUR)),
    ]);
    const parts = Object.keys(TOUR).map((part) => comparePart(part, archive, docker[part] ?? [], berth[part] ?? []));
    compared = (await Promise.all(parts)).flat();
  });
}, 1_500_000);

/**
 * What surprises is looked at again: now and then dockerd loses the output of a short container, or lists what it has in another order. A fault of
 * Berth's surprises twice.
 */
async function comparePart(part: string, archive: string, docker: Transcript, berth: Transcript): Promise<Compared[]> {
  const first = compare(docker, berth);
  if (first.every(isExpected)) return first;
  const [dockerAgain, berthAgain] = await Promise.all([walk("dockerd", archive, part), walk("berth", archive, part)]);
  const second = compare(dockerAgain, berthAgain);
  return first.map((step, index) => (isExpected(step) ? step : (second[index] ?? step)));
}

const KNOWN: ReadonlySet<string> = new Set(DIFFERENCES.flatMap(({ steps }) => steps));

function isExpected({ step, isSame }: Compared): boolean {
  return isSame !== KNOWN.has(step);
}

async function walk(engine: Engine, archive: string, part: string): Promise<Transcript> {
  return (await walkAlone("walk-tour.ts", [engine, archive, part])) as Transcript;
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
