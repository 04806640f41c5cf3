/** kill -9 of the engine in the middle of what it does with networks: the next engine is whole, nothing stays, and the work can be done. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { footprint, traces } from "../../tools/harness/footprint.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

/** Of a network that nobody on this machine has, so that a bridge which is left behind can be told. */
let gateway: string;
let engine: PrivateEngine;

beforeAll(async () => {
  gateway = await unusedGateway();
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
  await engine.ok(["network", "create", "home"]);
  await engine.ok(["run", "-d", "--name", "stays", "--network", "home", "busybox", "sleep", "600"]);
}, 120_000);

afterAll(async () => {
  await engine.stop();
  await engine.cleanUp();
  expect(await traces(engine)).toEqual([]);
  expect(await bridges()).toBe(0);
  await engine.close();
}, 120_000);

/** The first address of a /24 that no interface of the machine has, not even one that a killed run of this test left behind. */
async function unusedGateway(): Promise<string> {
  const { stdout } = await run("ip", ["-oneline", "address", "show"]);
  for (let third = 0; third < 256; third++) {
    if (!stdout.includes(` 10.222.${third}.`)) return `10.222.${third}.1`;
  }
  throw new Error("every /24 below 10.222.0.0/16 has an interface");
}

const subnet = (): string => gateway.replace(/1$/, "0/24");

/** The bridges that have the gateway's address of the network that comes and goes. */
async function bridges(): Promise<number> {
  const { stdout } = await run("ip", ["-oneline", "address", "show"]);
  return stdout.split("\n").filter((line) => line.includes(` ${gateway}/24 `)).length;
}

/** Host ends of pairs, and interfaces inside the container that stays, against what the engine knows. */
async function expectNothingStray(): Promise<void> {
  const endpoints = Number(await engine.ok(["inspect", "-f", "{{len .NetworkSettings.Networks}}", "stays"]));
  const deadline = Date.now() + 30_000;
  for (;;) {
    const { interfaces, namespaces } = await footprint(engine);
    const inside = (await engine.ok(["exec", "stays", "ip", "-o", "link"])).match(/eth\d+@/g) ?? [];
    const isKnown = (await engine.ok(["network", "ls", "-q", "-f", "name=made"])) !== "";
    // A network without a bridge is what a reboot leaves; a bridge without a network is not.
    const strayBridges = isKnown ? 0 : await bridges();
    const found = { interfaces: interfaces.length, namespaces: namespaces.length, inside: inside.length, strayBridges };
    const wanted = { interfaces: endpoints, namespaces: 1, inside: endpoints, strayBridges: 0 };
    if (JSON.stringify(found) === JSON.stringify(wanted)) return;
    if (Date.now() > deadline) expect(found).toEqual(wanted);
    await Bun.sleep(50);
  }
}

interface Work {
  readonly prepare: () => Promise<unknown>;
  readonly command: () => readonly string[];
  /** How long it takes at most on a slow machine, ms. */
  readonly longest: number;
  /** What is so when it is done again. */
  readonly check: () => Promise<unknown>;
}

const create = (): Promise<unknown> => engine.berth(["network", "create", "--subnet", subnet(), "made"]);
const isConnected = (): Promise<string> => engine.ok(["exec", "stays", "ping", "-c", "1", "-W", "2", "stays.made"]);

const WORK: Readonly<Record<string, Work>> = {
  "network create": {
    prepare: () => engine.berth(["network", "rm", "-f", "made"]),
    command: () => ["network", "create", "--subnet", subnet(), "made"],
    longest: 120,
    check: () => engine.ok(["run", "--rm", "--network", "made", "busybox", "true"]),
  },
  "network rm": {
    prepare: create,
    command: () => ["network", "rm", "made"],
    longest: 60,
    check: async () => expect(await engine.ok(["network", "ls", "-q", "-f", "name=made"])).toBe(""),
  },
  "network connect": {
    prepare: async () => {
      await create();
      await engine.berth(["network", "disconnect", "made", "stays"]);
    },
    command: () => ["network", "connect", "made", "stays"],
    longest: 60,
    check: isConnected,
  },
  "network disconnect": {
    prepare: async () => {
      await create();
      await engine.berth(["network", "connect", "made", "stays"]);
    },
    command: () => ["network", "disconnect", "made", "stays"],
    longest: 60,
    check: async () => expect(await engine.ok(["exec", "stays", "ip", "-o", "link"])).not.toContain("eth1@"),
  },
  "run on a network": {
    prepare: create,
    command: () => ["run", "--rm", "--network", "made", "-p", "127.0.0.1:0:80", "busybox", "true"],
    longest: 200,
    check: async () => expect(await engine.ok(["ps", "-aq"])).toBe((await engine.ok(["ps", "-q"])).trim()),
  },
};

describe("an engine killed in the middle of", () => {
  test.each(Object.entries(WORK))(
    "%s leaves nothing stray",
    async (_, { prepare, command, longest, check }) => {
      for (const part of [0.1, 0.3, 0.5, 0.8]) {
        await prepare();
        const working = engine.berth(command());
        await Bun.sleep(longest * part);
        await engine.crash();
        await working;
        await engine.start();
        await expectNothingStray();
        await engine.berth(command());
        await check();
      }
      await engine.berth(["network", "disconnect", "made", "stays"]);
      await engine.berth(["network", "rm", "-f", "made"]);
    },
    120_000,
  );
});
