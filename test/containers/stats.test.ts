import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { get } from "node:http";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
  await engine.ok(["run", "-d", "--name", "busy", "-m", "64m", "busybox", "sh", "-c", "while true; do :; done"]);
  await engine.ok(["run", "-d", "--name", "idle", "--network", "none", "busybox", "sleep", "1000"]);
  await engine.ok(["create", "--name", "created", "busybox"]);
}, 120_000);

afterAll(() => engine.close(), 120_000);

/** The first `count` lines of an answer, and how the answer ended. */
function lines(
  path: string,
  count: number,
  onData: () => void = () => undefined,
): Promise<{ readonly status: number; readonly lines: readonly string[] }> {
  return new Promise((resolve, reject) => {
    const request = get({ socketPath: engine.socket, path: `/v1.51${path}`, agent: false }, (response) => {
      let text = "";
      const done = (): void => {
        const found = text.split("\n").filter(Boolean).slice(0, count);
        resolve({ status: response.statusCode ?? 0, lines: found });
        request.destroy();
      };
      response.on("data", (chunk) => {
        text += chunk;
        onData();
        if (text.split("\n").length > count) done();
      });
      response.on("end", done);
    });
    request.once("error", reject);
  });
}

async function stats(path: string, count = 1): Promise<Record<string, never>[]> {
  return (await lines(path, count)).lines.map((line) => JSON.parse(line));
}

describe("GET /containers/{id}/stats", () => {
  test("streams a line a second, each with the one before", async () => {
    const [first, second] = await stats("/containers/busy/stats", 2);
    expect(first).toMatchObject({
      name: "/busy",
      preread: "0001-01-01T00:00:00Z",
      precpu_stats: { cpu_usage: { total_usage: 0 } },
    });
    expect(second).toMatchObject({ preread: first?.["read"], precpu_stats: first?.["cpu_stats"] });
    expect(second).toMatchObject({
      memory_stats: { limit: 64 * 1024 * 1024 },
      pids_stats: { current: 1, limit: 4096 },
    });
    expect(Object.keys(second?.["networks"] ?? {})).toEqual(["eth0"]);
  });

  test("without a stream gives rates, with one-shot gives the figures at once", async () => {
    const [rated] = await stats("/containers/busy/stats?stream=0");
    expect(rated).toMatchObject({ precpu_stats: { online_cpus: expect.any(Number) } });
    const [once] = await stats("/containers/idle/stats?stream=false&one-shot=true");
    expect(once).toMatchObject({ name: "/idle", precpu_stats: { cpu_usage: { total_usage: 0 } } });
    expect(once?.["networks"]).toBeUndefined();
  });

  test("is all zero for a container that does not run, and refuses what contradicts itself", async () => {
    const [zero] = await stats("/containers/created/stats?stream=0");
    expect(zero).toMatchObject({ name: "/created", read: "0001-01-01T00:00:00Z", memory_stats: {}, pids_stats: {} });
    expect(await lines("/containers/busy/stats?one-shot=1", 1)).toEqual({
      status: 400,
      lines: ['{"message":"cannot have stream=true and one-shot=true"}'],
    });
    expect((await lines("/containers/none/stats", 1)).status).toBe(404);
  });

  test("ends when the container is removed", async () => {
    await engine.ok(["run", "-d", "--name", "short", "busybox", "sleep", "1000"]);
    const begun = Promise.withResolvers<void>();
    const ended = lines("/containers/short/stats", 1000, begun.resolve);
    await begun.promise;
    await engine.ok(["rm", "-f", "short"]);
    expect((await ended).status).toBe(200);
  });
});

describe("berth stats", () => {
  test("--no-stream prints Docker's table", async () => {
    const [header, ...rows] = (await engine.ok(["stats", "--no-stream", "-a"])).split("\n");
    expect(header).toBe(
      "CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT   MEM %     NET I/O     BLOCK I/O   PIDS".replace(
        "NET I/O     ",
        /NET I\/O\s+/.exec(header ?? "")?.[0] ?? "",
      ),
    );
    expect(rows.map((row) => row.split(/ {2,}/)[1])).toEqual(["created", "idle", "busy"]);
    const busy = rows[2]?.split(/ {2,}/) ?? [];
    // What others leave it of a processor.
    expect(Number.parseFloat(busy[2] ?? "")).toBeGreaterThan(1);
    expect(busy[3]).toMatch(/^[\d.]+[KM]iB \/ 64MiB$/);
    expect(rows[0]).toMatch(/0\.00%\s+0B \/ 0B\s+0\.00%\s+0B \/ 0B\s+0B \/ 0B\s+0$/);
  });

  test("--format json gives Docker's fields; an unknown container is an error", async () => {
    const row = JSON.parse(await engine.ok(["stats", "--no-stream", "--format", "json", "idle"]));
    expect(Object.keys(row)).toEqual([
      "BlockIO",
      "CPUPerc",
      "Container",
      "ID",
      "MemPerc",
      "MemUsage",
      "Name",
      "NetIO",
      "PIDs",
    ]);
    expect(row).toMatchObject({ Container: "idle", Name: "idle", PIDs: "1" });
    expect(await engine.berth(["stats", "nope"])).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: "Error response from daemon: No such container: nope\n",
    });
  });
});
