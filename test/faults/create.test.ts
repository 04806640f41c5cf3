/** What happens in the middle of a create: a crash of the engine, the removal of the image. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import type { Finished } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { until } from "../../tools/harness/until.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
  // A create that takes its time: the volume gets what the image has there.
  await using context = makeContext({
    Dockerfile:
      'FROM busybox\nRUN mkdir /data && cd /data && for i in $(seq 2000); do echo $i > $i; done\nVOLUME /data\nCMD ["sh", "-c", "ls /data | wc -l"]\n',
  });
  await engine.ok(["build", "-q", "-t", "slow", context.path]);
}, 120_000);

afterAll(() => engine.close(), 120_000);

/** Begins a create; `isFilling` resolves when its volume is there and has some of its files. */
function creating(name: string): { readonly created: Promise<Finished>; readonly isFilling: Promise<void> } {
  const volumes = join(engine.dataRoot, "volumes");
  const before = new Set(readdirSync(volumes));
  const isFilled = (): boolean =>
    readdirSync(volumes).some((entry) => !before.has(entry) && existsSync(join(volumes, entry, "_data", "1")));
  const wait = async (): Promise<void> => {
    for (let waited = 0; !isFilled(); waited += 2) {
      if (waited > 10_000) throw new Error("no volume is being filled");
      await Bun.sleep(2);
    }
  };
  return { created: engine.berth(["create", "--name", name, "slow"]), isFilling: wait() };
}

test("a crash leaves no volume that was made for a container that never was", async () => {
  await engine.ok(["volume", "create", "named"]);
  const { created, isFilling } = creating("crashed");
  await isFilling;
  await engine.crash();
  expect((await created).exitCode).not.toBe(0);
  await engine.start();
  expect(await engine.ok(["ps", "-aq"])).toBe("");
  expect(await engine.ok(["volume", "ls", "-q"])).toBe("named");
  // One that belongs to a container stays, be that removed without it.
  await engine.ok(["create", "--name", "whole", "slow"]);
  await engine.ok(["rm", "whole"]);
  await engine.crash();
  await engine.start();
  expect((await engine.ok(["volume", "ls", "-q"])).split("\n")).toHaveLength(2);
  await engine.ok(["volume", "prune", "-af"]);
}, 120_000);

test("a name that is taken is refused before anything is made, be its holder there or not yet", async () => {
  const { created, isFilling } = creating("taken");
  await isFilling;
  const bind = join(engine.directory, "not-made");
  const second = (name: string): Promise<Finished> =>
    engine.berth(["create", "--name", name, "-v", "not-made:/named", "-v", `${bind}:/bound`, "slow"]);
  const [early, other] = [await second("taken"), await engine.berth(["create", "--name", "other", "busybox"])];
  const wasEarly = (await engine.ok(["ps", "-aq", "--filter", "name=taken"])) === "";
  const renamed = await engine.berth(["rename", "other", "taken"]);
  expect({ exitCode: (await created).exitCode, wasEarly }).toEqual({ exitCode: 0, wasEarly: true });
  for (const { exitCode, stderr } of [early, renamed, await second("taken")]) {
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/Conflict. The container name "\/taken" is already in use by container "[0-9a-f]{64}"/);
  }
  expect(other.exitCode).toBe(0);
  expect(await engine.ok(["volume", "ls", "-q", "--filter", "name=not-made"])).toBe("");
  expect(existsSync(bind)).toBe(false);
  await engine.ok(["rm", "-v", "taken", "other"]);
}, 120_000);

test("volumes cannot go before the container that is made with them is there", async () => {
  await engine.ok(["volume", "create", "wanted"]);
  const giver = await engine.ok(["create", "--name", "giver", "-v", "/given", "busybox"]);
  const volumes = join(engine.dataRoot, "volumes");
  const given = await engine.ok(["inspect", "-f", "{{(index .Mounts 0).Name}}", giver]);
  const before = new Set(readdirSync(volumes));
  const created = engine.berth(["create", "--name", "safe", "--volumes-from", "giver", "-v", "wanted:/wanted", "slow"]);
  await until(() =>
    readdirSync(volumes).some((entry) => !before.has(entry) && existsSync(join(volumes, entry, "_data", "1"))),
  );
  const refused = await engine.berth(["volume", "rm", "wanted"]);
  await engine.ok(["rm", "-v", "giver"]);
  await engine.ok(["volume", "prune", "-af"]);
  const wasEarly = (await engine.ok(["ps", "-aq"])) === "";
  expect({ exitCode: (await created).exitCode, wasEarly }).toEqual({ exitCode: 0, wasEarly: true });
  expect(refused.stderr).toContain("remove wanted: volume is in use - [");
  expect(await engine.ok(["start", "-a", "safe"])).toBe("2000");
  const left = (await engine.ok(["volume", "ls", "-q"])).split("\n");
  expect(left).toHaveLength(3);
  expect(left).toContain(given);
  await engine.ok(["rm", "-v", "safe"]);
  await engine.ok(["volume", "prune", "-af"]);
}, 120_000);

test("an image cannot go before the container that is made of it is there", async () => {
  const { created, isFilling } = creating("safe");
  await isFilling;
  const refused = await engine.berth(["rmi", "slow"]);
  await engine.ok(["image", "prune", "-af"]);
  const wasEarly = !(await engine.ok(["ps", "-aq"]));
  const { exitCode } = await created;
  expect({ exitCode, wasEarly }).toEqual({ exitCode: 0, wasEarly: true });
  expect(refused.stderr).toMatch(/container [0-9a-f]{12} is using its referenced image/);
  expect(await engine.ok(["start", "-a", "safe"])).toBe("2000");
  await engine.ok(["rm", "-v", "safe"]);
  const second = creating("forced");
  await second.isFilling;
  await engine.ok(["rmi", "-f", "slow"]);
  expect((await second.created).exitCode).toBe(0);
  expect(await engine.ok(["start", "-a", "forced"])).toBe("2000");
  await engine.ok(["rm", "-v", "forced"]);
  // Kept for it alone, the image goes with it.
  expect(await engine.ok(["images", "-aq"])).toBe("");
}, 120_000);
