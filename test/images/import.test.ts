import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { rawTar } from "../../tools/harness/raw-tar.ts";

let engine: PrivateEngine;
let server: Server;
let host: string;
let archive: string;

/** What an index like Docker Hub's knows. */
const RESULTS = [
  {
    name: "alpine",
    description: "A minimal Docker image\nbased on Alpine Linux with a complete package index",
    star_count: 11_000,
    is_official: true,
    is_automated: false,
  },
  { name: "someone/alpine", description: "mine", star_count: 2, is_official: false, is_automated: false },
];

beforeAll(async () => {
  engine = await PrivateEngine.start();
  archive = join(engine.directory, "root.tar");
  await Bun.write(
    archive,
    rawTar([
      { path: "etc/", type: "5" },
      { path: "etc/motd", content: "hello\n" },
    ]),
  );
  server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://index");
    if (url.pathname === "/root.tar") response.end(readFileSync(archive));
    else if (url.pathname === "/v1/search") {
      const limit = Number(url.searchParams.get("n"));
      const results = RESULTS.filter(({ name }) => name.includes(url.searchParams.get("q") ?? "")).slice(0, limit);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ num_results: results.length, results }));
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
}, 120_000);

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await engine.close();
}, 120_000);

/** The archive through a program that compresses its input. */
async function compressed(program: string): Promise<string> {
  const { exitCode, stderr } = await run(program, ["-k", archive]);
  if (exitCode !== 0) throw new Error(stderr);
  return `${archive}.${{ gzip: "gz", bzip2: "bz2", zstd: "zst" }[program] ?? program}`;
}

describe("berth import", () => {
  test("takes a file of any compression, a pipe and a URL; all are the same layer", async () => {
    const layers = new Set<string>();
    const files = [archive];
    for (const program of ["gzip", "xz", "bzip2", "zstd"]) files.push(await compressed(program));
    for (const file of files) {
      expect(await engine.ok(["import", file, "imported"])).toMatch(/^sha256:[0-9a-f]{64}$/);
      layers.add(await engine.ok(["inspect", "-f", "{{json .RootFS.Layers}}", "imported"]));
    }
    expect((await engine.berth(["import", "-", "imported:pipe"], { input: readFileSync(archive) })).exitCode).toBe(0);
    layers.add(await engine.ok(["inspect", "-f", "{{json .RootFS.Layers}}", "imported:pipe"]));
    const fetched = await engine.ok(["import", `http://${host}/root.tar`, "imported:url"]);
    expect(fetched).toContain(`Downloading from http://${host}/root.tar`);
    layers.add(await engine.ok(["inspect", "-f", "{{json .RootFS.Layers}}", "imported:url"]));
    expect(layers.size).toBe(1);
    expect(await engine.ok(["inspect", "-f", "{{.Comment}}", "imported:pipe"])).toBe("Imported from -");
  });

  test("applies changes, message and platform, and refuses what makes no image", async () => {
    const flags = ["-c", "CMD echo hi", "-c", "ENV A=b", "-m", "by hand", "--platform", "linux/arm64"];
    await engine.ok(["image", "import", ...flags, archive, "changed"]);
    const format = "{{.Config.Cmd}} {{.Comment}} {{.Architecture}} {{json .Config.Env}}";
    const inspected = await engine.ok(["inspect", "-f", format, "changed"]);
    expect(inspected).toMatch(/^\[\/bin\/sh -c echo hi\] by hand arm64 \["A=b"\]$/);
    const changes = ["STOPSIGNAL SIGUSR1", "HEALTHCHECK --interval=3s CMD x", "WORKDIR a", "WORKDIR b", "EXPOSE 80"];
    await engine.ok(["import", ...changes.flatMap((change) => ["-c", change]), archive, "more"]);
    const config = JSON.parse(await engine.ok(["inspect", "-f", "{{json .Config}}", "more"]));
    // As docker's: nothing that was not asked for.
    expect(config).toEqual({
      StopSignal: "SIGUSR1",
      WorkingDir: "/a/b",
      ExposedPorts: { "80/tcp": {} },
      Healthcheck: { Test: ["CMD-SHELL", "x"], Interval: 3_000_000_000 },
    });
    const images = await engine.ok(["images", "-aq"]);
    for (const [args, message] of [
      [["-c", "RUN x", archive], "RUN is not a valid change command"],
      [["-c", "foo x", archive], "foo is not a valid change command"],
      [["--platform", "windows/amd64", archive], "operating system is not supported"],
      [["--platform", "a/b/c/d", archive], "cannot parse platform specifier"],
      [["--platform", "linux/", archive], "is an invalid component"],
      [["--platform", "macos", archive], "operating system is not supported"],
      [["/no/such/file"], "open /no/such/file: no such file or directory"],
      [[`http://${host}/missing`], "status 404"],
      [[import.meta.path], "tar"],
    ] as const) {
      const { exitCode, stderr } = await engine.berth(["import", ...args]);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(message);
    }
    expect(await engine.ok(["images", "-aq"])).toBe(images);
  });
});

describe("berth search", () => {
  test("asks the index that the term names, and prints Docker's table", async () => {
    const rows = (await engine.ok(["search", `${host}/alpine`])).split("\n");
    expect(rows[0]).toMatch(/^NAME +DESCRIPTION +STARS +OFFICIAL$/);
    expect(rows[1]).toMatch(/^alpine +A minimal Docker image based on Alpine Linux… +11000 +\[OK\]$/);
    expect(rows[2]).toMatch(/^someone\/alpine +mine +2 *$/);
    const names = (flags: readonly string[]): Promise<string> =>
      engine.ok(["search", "--format", "{{.Name}}", ...flags, `${host}/alpine`]);
    expect(await names(["-f", "is-official=true"])).toBe("alpine");
    expect(await names(["-f", "stars=3"])).toBe("alpine");
    expect(await names(["--limit", "1"])).toBe("alpine");
    expect(await names(["-f", "is-automated=true"])).toBe("");
    expect(await engine.ok(["search", "--no-trunc", `${host}/alpine`])).toContain("a complete package index");
    const tooMany = await engine.berth(["search", "--limit", "101", "x"]);
    expect(tooMany.stderr).toContain("limit 101 is outside the range of [1, 100]");
  });
});
