/**
 * Dockerfiles built by buildx with Berth and with dockerd 26's BuildKit, side by side: see dockerfile-cases.ts and dockerfile-corners.ts. What dockerd did is
 * recorded (recording.ts).
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { HAS_CURRENT_DOCKER } from "../../tools/harness/current-docker.ts";
import { CASES, CONTEXT, type DockerfileCase } from "./dockerfile-cases.ts";
import { CORNERS, IGNORE_CONTEXTS } from "./dockerfile-corners.ts";
import { Recording } from "./recording.ts";
import { type Engine, walkAlone, withImage } from "./walk.ts";

const ALL: readonly DockerfileCase[] = [...CASES, ...CORNERS];

type Outcomes = Readonly<Record<string, string>>;

let docker: Outcomes;
let berth: Outcomes;

beforeAll(async () => {
  if (!HAS_CURRENT_DOCKER) return;
  const inputs = Object.fromEntries(
    ALL.map(({ name, lines, args }) => [name, [lines, args, CONTEXT, IGNORE_CONTEXTS]]),
  );
  const recording = new Recording<string>("dockerfiles", ["walk-dockerfiles.ts"]);
  await withImage(async (archive) => {
    const names = ALL.map(({ name }) => name);
    [docker, berth] = await Promise.all([
      recording.results(inputs, (missing) => walk("dockerd", archive, missing)),
      walk("berth", archive, names),
    ]);
    const surprising = ALL.filter((one) => !isExpected(one)).map(({ name }) => name);
    if (surprising.length === 0) return;
    const [dockerAgain, berthAgain] = await Promise.all([
      walk("dockerd", archive, surprising),
      walk("berth", archive, surprising),
    ]);
    docker = { ...docker, ...dockerAgain };
    berth = { ...berth, ...berthAgain };
  });
}, 900_000);

function isExpected({ name, why }: DockerfileCase): boolean {
  return (berth[name] === docker[name]) === (why === undefined);
}

async function walk(engine: Engine, archive: string, names: readonly string[]): Promise<Outcomes> {
  return (await walkAlone("walk-dockerfiles.ts", [engine, archive, JSON.stringify(names)])) as Outcomes;
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
