import { describe, expect, test } from "bun:test";
import type { SolveStatus } from "#spec/solve-status.ts";
import { StatusFeed } from "./status-feed.ts";

const log = (bytes: number): SolveStatus => ({
  logs: [{ vertex: "v", stream: 1, data: "x".repeat(bytes), timestamp: "2026-01-01T00:00:00Z" }],
});

const textOf = ({ logs = [] }: SolveStatus): number => logs.reduce((sum, { data }) => sum + data.length, 0);

describe("StatusFeed", () => {
  test("joins what waits, and ends behind it", async () => {
    const feed = new StatusFeed();
    feed.push({ vertexes: [{ digest: "a", name: "a" }] });
    feed.push(log(3));
    feed.end();
    feed.push(log(5));
    const updates = await Array.fromAsync(feed);
    expect(updates).toHaveLength(1);
    expect(updates[0]?.vertexes).toHaveLength(1);
    expect(updates.map(textOf)).toEqual([3]);
  });

  test("keeps no more output for a slow reader than a bound, and says what it left out; states are never lost", async () => {
    const feed = new StatusFeed();
    for (let count = 0; count < 100; count++)
      feed.push({ ...log(1_000_000), vertexes: [{ digest: `${count}`, name: "" }] });
    const updates = feed[Symbol.asyncIterator]();
    const first = (await updates.next()).value as SolveStatus;
    expect(textOf(first)).toBe(8_000_000);
    expect(first.vertexes).toHaveLength(100);
    feed.push(log(10));
    const second = (await updates.next()).value as SolveStatus;
    expect(Buffer.from(second.logs?.[0]?.data ?? "", "base64").toString()).toContain("92000000 bytes left out");
  });
});
