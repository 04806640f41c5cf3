import { expect, test } from "bun:test";
import { type ContainerRecord, NEW_STATE } from "#engine/containers/container-record.ts";
import { parseDigest } from "#formats/digest.ts";
import type { HostConfig } from "#spec/docker-containers.ts";
import { RestartSchedule } from "./restart-schedule.ts";

function record(id: string, hostConfig: HostConfig = {}, ranFor = 0): ContainerRecord {
  return {
    id,
    name: id,
    created: 0,
    imageId: parseDigest(`sha256:${"a".repeat(64)}`),
    imageName: "",
    config: {},
    hostConfig,
    endpointRequests: {},
    mounts: [],
    state: { ...NEW_STATE, startedAt: 1, finishedAt: 1 + ranFor },
  };
}

/** Plans a restart and resolves with the milliseconds that it took to come. */
function delayOf(schedule: RestartSchedule, of: ContainerRecord): Promise<number> {
  const begun = Date.now();
  return new Promise((resolve) => schedule.plan(of, async () => resolve(Date.now() - begun)));
}

test("RestartSchedule waits twice as long each time, and forgets after a long run or a cancel", async () => {
  const schedule = new RestartSchedule();
  const [first, second] = [await delayOf(schedule, record("a")), await delayOf(schedule, record("a"))];
  expect(first).toBeGreaterThanOrEqual(95);
  expect(second).toBeGreaterThanOrEqual(195);
  const stable = await delayOf(schedule, record("a", {}, 11_000));
  expect(stable).toBeLessThan(second);
  await delayOf(schedule, record("a"));
  schedule.cancel("a");
  expect(await delayOf(schedule, record("a"))).toBeLessThan(second);
});

test("RestartSchedule lets a container wait for the one that it joins, and not for one that is called off", async () => {
  const schedule = new RestartSchedule();
  const order: string[] = [];
  const base = Promise.withResolvers<void>();
  schedule.plan(record("base"), async () => {
    await base.promise;
    order.push("base");
  });
  const joined = new Promise<void>((resolve) => {
    schedule.plan(record("joined", { NetworkMode: "container:base" }), async () => {
      order.push("joined");
      resolve();
    });
  });
  await Bun.sleep(200);
  expect(order).toEqual([]);
  base.resolve();
  await joined;
  expect(order).toEqual(["base", "joined"]);
  schedule.plan(record("base"), async () => undefined);
  const again = delayOf(schedule, record("joined", { PidMode: "container:base" }));
  schedule.cancel("base");
  await again;
});

test("RestartSchedule tells a start that was called off meanwhile", async () => {
  const schedule = new RestartSchedule();
  const held = await new Promise<boolean>((resolve) => {
    schedule.plan(record("a"), async (stillHolds) => {
      schedule.cancel("a");
      resolve(stillHolds());
    });
  });
  expect(held).toBe(false);
  schedule.close();
  schedule.plan(record("b"), () => Promise.reject(new Error("nothing starts any more")));
});
