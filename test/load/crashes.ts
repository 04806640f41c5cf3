import { setTimeout as delay } from "node:timers/promises";
import type { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { disturb } from "./disturbances.ts";
import { Random } from "./random.ts";
import type { Report } from "./report.ts";
import type { World } from "./scenarios.ts";
import { work } from "./work.ts";

/** How long the clients go on while the networks are disturbed. */
const DISTURBED_SECONDS = 15;

const SHARED = "label=load=shared";

interface Setting {
  readonly engine: PrivateEngine;
  readonly clients: readonly World[];
  readonly shared: readonly string[];
  readonly report: Report;
}

/**
 * Kills the engine in the middle of the work, several times. The next one must be whole, have all containers running, and do the work; and heal what else is
 * broken meanwhile (disturbances.ts).
 */
export async function workThroughCrashes(
  setting: Setting,
  { crashes, seconds, seed }: { readonly crashes: number; readonly seconds: number; readonly seed: number },
): Promise<void> {
  const random = new Random(seed);
  for (let crash = 0; crash < crashes; crash++) {
    const share = seconds / 2 / crashes;
    await crashInTheMiddle(setting, share * (0.3 + 0.7 * random.next()));
    await checkWhole(setting);
    await removeLeftovers(setting.engine);
  }
  const working = work(setting.clients, DISTURBED_SECONDS, setting.report);
  await disturb(setting.engine, setting.report);
  await working;
}

async function crashInTheMiddle({ engine, clients, report }: Setting, seconds: number): Promise<void> {
  const working = work(clients, seconds + 1, report);
  await delay(seconds * 1000);
  // From here on calls break.
  report.pause(true);
  await engine.crash();
  await working;
  for (const { client } of clients) client.close();
  await engine.start();
  report.pause(false);
}

async function checkWhole({ engine, shared, report }: Setting): Promise<void> {
  const checked = await engine.berth(["system", "check"]);
  if (!checked.stdout.includes("no problems"))
    report.problem("system check after a crash", checked.stdout + checked.stderr);
  await letPausedRun(engine);
  const deadline = Date.now() + 30_000;
  for (;;) {
    const states = await engine.ok(["ps", "-a", "--filter", SHARED, "--format", "{{.Names}} {{.State}}"]);
    const running = states.split("\n").filter((line) => line.endsWith(" running"));
    if (running.length === shared.length) return;
    if (Date.now() > deadline) {
      const others = states.split("\n").filter((line) => !line.endsWith(" running"));
      return report.problem(
        "containers after a crash",
        `${running.length} of ${shared.length} run; ${others.join(", ")}`,
      );
    }
    await delay(200);
  }
}

/** A client paused it, and the engine died before the same client could let it go on. */
async function letPausedRun(engine: PrivateEngine): Promise<void> {
  const paused = await engine.ok(["ps", "-q", "--filter", SHARED, "--filter", "status=paused"]);
  if (paused !== "") await engine.ok(["unpause", ...paused.split("\n")]);
}

/** What the clients were about to remove. */
async function removeLeftovers(engine: PrivateEngine): Promise<void> {
  const own = ["--filter", "label=load.client"];
  const list = async (...args: string[]): Promise<string[]> => (await engine.ok(args)).split("\n").filter(Boolean);
  const removeAll = async (verb: readonly string[], names: readonly string[]): Promise<void> => {
    if (names.length > 0) await engine.ok([...verb, ...names]);
  };
  await removeAll(["rm", "-f", "-v"], await list("ps", "-aq", ...own));
  await removeAll(["network", "rm"], await list("network", "ls", "-q", ...own));
  await removeAll(["volume", "rm"], await list("volume", "ls", "-q", ...own));
  await removeAll(["rmi", "-f"], await list("images", "-q", ...own));
}
