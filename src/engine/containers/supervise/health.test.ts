import { describe, expect, test } from "bun:test";
import {
  type ContainerHealth,
  checkHealthcheck,
  healthAfter,
  healthProbe,
  mergeHealthcheck,
  nextProbeIn,
  startingHealth,
  unwatchedHealth,
} from "./health.ts";

const STARTING: ContainerHealth = { status: "starting", failingStreak: 0, log: [] };

function probe(changes: Record<string, number> = {}): NonNullable<ReturnType<typeof healthProbe>> {
  const found = healthProbe({ Healthcheck: { Test: ["CMD", "true"], ...changes } });
  if (!found) throw new Error("no probe");
  return found;
}

function result(exitCode: number, start = 0): Parameters<typeof healthAfter>[2] {
  return { start, end: start + 1, exitCode, output: "" };
}

describe("healthProbe()", () => {
  test("fills Docker's defaults in and runs CMD-SHELL by the image's shell", () => {
    expect(healthProbe({ Healthcheck: { Test: ["CMD-SHELL", "curl x"] } })).toEqual({
      command: ["/bin/sh", "-c", "curl x"],
      interval: 30_000,
      timeout: 30_000,
      startPeriod: 0,
      startInterval: 5_000,
      retries: 3,
    });
    const bash = healthProbe({ Healthcheck: { Test: ["CMD-SHELL", "x"] }, Shell: ["/bin/bash", "-ec"] });
    expect(bash?.command).toEqual(["/bin/bash", "-ec", "x"]);
  });

  test("is undefined without a check, with NONE and with a kind that nobody knows", () => {
    for (const Test of [[], ["NONE"], ["OTHER", "x"]]) expect(healthProbe({ Healthcheck: { Test } })).toBeUndefined();
    expect(healthProbe({})).toBeUndefined();
  });
});

describe("healthAfter()", () => {
  test("says unhealthy after the retries in a row, healthy after one success, and keeps five results", () => {
    let health = STARTING;
    const seen: string[] = [];
    for (const code of [1, 1, 0, 1, 1, 1, 0]) {
      health = healthAfter(health, probe(), result(code), 0);
      seen.push(`${health.status} ${health.failingStreak}`);
    }
    expect(seen).toEqual([
      "starting 1",
      "starting 2",
      "healthy 0",
      "healthy 1",
      "healthy 2",
      "unhealthy 3",
      "healthy 0",
    ]);
    expect(health.log.map(({ exitCode }) => exitCode)).toEqual([0, 1, 1, 1, 0]);
  });

  test("does not count failures in the start period, unless the container has been healthy", () => {
    const patient = probe({ StartPeriod: 10e9, Retries: 1 });
    expect(healthAfter(STARTING, patient, result(1, 5_000), 0).failingStreak).toBe(0);
    expect(healthAfter(STARTING, patient, result(1, 10_000), 0).status).toBe("unhealthy");
    expect(healthAfter({ ...STARTING, status: "healthy" }, patient, result(1, 5_000), 0).status).toBe("unhealthy");
  });
});

test("nextProbeIn() looks more often in the start period, until the container was healthy", () => {
  const patient = probe({ StartPeriod: 10e9, StartInterval: 1e9, Interval: 20e9 });
  expect(nextProbeIn(STARTING, patient, 0, 5_000)).toBe(1_000);
  expect(nextProbeIn({ ...STARTING, status: "healthy" }, patient, 0, 5_000)).toBe(20_000);
  expect(nextProbeIn(STARTING, patient, 0, 10_000)).toBe(20_000);
});

test("startingHealth() and unwatchedHealth() keep the log", () => {
  const before = healthAfter(STARTING, probe(), result(0), 0);
  const config = { Healthcheck: { Test: ["CMD", "true"] } };
  expect(startingHealth(config, before)).toEqual({ status: "starting", failingStreak: 0, log: before.log });
  expect(startingHealth({}, before)).toBeUndefined();
  expect(unwatchedHealth(before)).toEqual({ ...before, status: "unhealthy" });
  expect(unwatchedHealth(undefined)).toBeUndefined();
});

test("mergeHealthcheck() takes what the user leaves out from the image", () => {
  const image = { Test: ["CMD", "a"], Interval: 1e9, Retries: 4 };
  expect(mergeHealthcheck({ Interval: 2e9, Timeout: 0 }, image)).toEqual({ ...image, Interval: 2e9 });
  expect(mergeHealthcheck({ Test: ["NONE"] }, image)?.Test).toEqual(["NONE"]);
  expect(mergeHealthcheck(undefined, image)).toBe(image);
});

test.each([
  [{ Interval: 10 }, "Interval in Healthcheck cannot be less than 1ms"],
  [{ Timeout: -1 }, "Timeout in Healthcheck cannot be less than 1ms"],
  [{ StartPeriod: 10 }, "StartPeriod in Healthcheck cannot be less than 1ms"],
  [{ StartInterval: 10 }, "StartInterval in Healthcheck cannot be less than 1ms"],
  [{ Retries: -1 }, "Retries in Healthcheck cannot be negative"],
])("checkHealthcheck() refuses %j in Docker's words", (check, message) => {
  expect(() => checkHealthcheck(check)).toThrow(message);
});
