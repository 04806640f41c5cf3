import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "#formats/digest.ts";
import { type DownloadOptions, download } from "./http-download.ts";

let directory: string;
let server: ReturnType<typeof Bun.serve>;
let other: ReturnType<typeof Bun.serve>;
const seen: string[] = [];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-download-"));
  const fetch = (request: Request): Response => {
    const { pathname, port } = new URL(request.url);
    seen.push(`${port}${pathname} ${request.headers.get("authorization") ?? "-"}`);
    if (pathname === "/elsewhere") return Response.redirect(`http://127.0.0.1:${other.port}/x`);
    if (pathname === "/endless") {
      return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65536)) }));
    }
    return new Response("body");
  };
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch });
  other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch });
});

afterAll(async () => {
  await server.stop(true);
  await other.stop(true);
  rmSync(directory, { recursive: true, force: true });
});

describe("download()", () => {
  const file = (): string => join(directory, `${Math.random()}`);
  const get = (path: string, more: Partial<DownloadOptions> = {}): ReturnType<typeof download> =>
    download(`http://127.0.0.1:${server.port}${path}`, { signal: new AbortController().signal, file: file(), ...more });

  test("writes the body, 0600, and says what it is", async () => {
    const path = file();
    expect(await get("/a%20b.txt", { file: path })).toMatchObject({
      digest: digestOf("body"),
      size: 4,
      filename: "a b.txt",
    });
    expect(readFileSync(path, "utf8")).toBe("body");
  });

  test("ends what is larger than allowed, and leaves nothing of it", async () => {
    const path = file();
    await expect(get("/endless", { file: path, maxBytes: 1_000_000 })).rejects.toThrow(
      "it is larger than 1000000 bytes",
    );
    expect(existsSync(path)).toBe(false);
  });

  test("says why nobody answers", async () => {
    const signal = new AbortController().signal;
    await expect(download("http://127.0.0.1:1/x", { signal, file: file() })).rejects.toThrow(
      "failed to load http://127.0.0.1:1/x: dial tcp 127.0.0.1:1: connect: connection refused",
    );
  });

  test("an abort ends it, and nothing stays", async () => {
    const path = file();
    const controller = new AbortController();
    const running = get("/endless", { file: path, signal: controller.signal }).catch((error) => error.code);
    await Bun.sleep(50);
    controller.abort();
    expect(await running).toBe("cancelled");
    expect(existsSync(path)).toBe(false);
  });

  test("gives its authorization to the first origin only", async () => {
    seen.length = 0;
    await get("/elsewhere", { authorization: "Bearer secret" });
    expect(seen).toEqual([`${server.port}/elsewhere Bearer secret`, `${other.port}/x -`]);
  });
});
