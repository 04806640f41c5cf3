/** Every call on a container in every state, against Berth and against dockerd 26, side by side: see states.ts. What dockerd did is recorded (recording.ts). */
import { beforeAll, describe, expect, test } from "bun:test";
import { Recording } from "./recording.ts";
import { type Engine, walkAlone, withImage } from "./walk.ts";

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

type Answers = Readonly<Record<string, string>>;

let docker: Answers;
let berth: Answers;

beforeAll(async () => {
  const recording = new Recording<Answers>("states", ["walk-states.ts", "calls.ts", "states.ts"]);
  await withImage(async (archive) => {
    const walked = recording.results({ states: [] }, async () => ({ states: await walk("dockerd", archive) }));
    const [dockers, berths] = await Promise.all([walked, walk("berth", archive)]);
    [docker, berth] = [dockers["states"] ?? {}, berths];
    if (wrong().length > 0) [docker, berth] = await Promise.all([walk("dockerd", archive), walk("berth", archive)]);
  });
}, 900_000);

async function walk(engine: Engine, archive: string): Promise<Answers> {
  return (await walkAlone("walk-states.ts", [engine, archive])) as Answers;
}

/** The calls that are answered otherwise without a reason. */
function wrong(): string[] {
  const isKnown = (call: string): boolean => DIFFERENCES.some(({ calls }) => calls.test(call));
  return Object.keys(docker).filter((call) => berth[call] !== docker[call] && !isKnown(call));
}

describe("calls on a container in each state", () => {
  test("answer as dockerd does, but for the differences that have a reason", () => {
    expect(Object.keys(docker).length).toBeGreaterThan(230);
    expect(wrong().map((call) => `${call}\ndockerd: ${docker[call]}\nberth: ${berth[call]}`)).toEqual([]);
  });

  test("differ wherever they are said to differ", () => {
    const differing = Object.keys(docker).filter((call) => berth[call] !== docker[call]);
    expect(DIFFERENCES.filter(({ calls }) => !differing.some((call) => calls.test(call)))).toEqual([]);
  });
});
