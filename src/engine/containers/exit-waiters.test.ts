import { expect, test } from "bun:test";
import { ExitWaiters } from "./exit-waiters.ts";

test("ExitWaiters.wait() resolves at its moment and at those that include it", async () => {
  const waiters = new ExitWaiters();
  const moments = ["exit", "removed"] as const;
  const ended: string[] = [];
  const waiting = moments.map((moment) => waiters.wait("a", moment).then(() => void ended.push(moment)));
  waiters.exited("a", { exitCode: 3, error: "" });
  await waiting[0];
  expect(ended).toEqual(["exit"]);
  waiters.exited("a", { exitCode: 4, error: "" });
  const last = waiters.wait("a", "removed");
  waiters.removed("a", 0);
  // How it ended is known from its end.
  expect(await last).toEqual({ exitCode: 4, error: "" });
});

test("ExitWaiters.notRemoved() tells those who wait for the removal alone", async () => {
  const waiters = new ExitWaiters();
  const next = waiters.wait("a", "exit");
  waiters.exited("a", { exitCode: 3, error: "" });
  await next;
  const [gone, ended] = [waiters.wait("a", "removed"), waiters.wait("a", "exit")];
  waiters.notRemoved("a", 0, "device or resource busy");
  expect(await gone).toEqual({ exitCode: 3, error: "device or resource busy" });
  expect(await Promise.race([ended, Bun.sleep(1)])).toBeUndefined();
});

test("ExitWaiters.wait() rejects when its signal aborts, also one that did before", async () => {
  const waiters = new ExitWaiters();
  const client = new AbortController();
  const waiting = waiters.wait("a", "exit", client.signal);
  client.abort();
  await expect(waiting).rejects.toThrow("waiting for container a was cancelled");
  await expect(waiters.wait("a", "exit", client.signal)).rejects.toThrow("waiting for container a was cancelled");
});
