import { expect, test } from "bun:test";
import { once } from "node:events";
import { lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listenOnUnixSocket } from "./unix-socket-mode.ts";

test("listenOnUnixSocket() serves with mode and group, replaces a stale file and leaves no other trace", async () => {
  const directory = mkdtempSync(join(tmpdir(), "berth-socket-"));
  const server = createServer((_, response) => response.end("hello"));
  try {
    const path = join(directory, "api.sock");
    writeFileSync(path, "stale");
    await listenOnUnixSocket(server, path, { mode: 0o660, gid: 12 });
    const stats = lstatSync(path);
    expect([stats.isSocket(), stats.mode & 0o7777, stats.gid]).toEqual([true, 0o660, 12]);
    expect(readdirSync(directory)).toEqual(["api.sock"]);
    const socket = connect(path);
    socket.write("GET / HTTP/1.0\r\n\r\n");
    const [answer] = await once(socket, "data");
    expect(String(answer)).toContain("200 OK");
    socket.destroy();
  } finally {
    server.close();
    rmSync(directory, { recursive: true });
  }
});

test("listenOnUnixSocket() rejects where it may not listen", async () => {
  const server = createServer();
  await expect(listenOnUnixSocket(server, "/nonexistent/api.sock", { mode: 0o660 })).rejects.toThrow(/ENOENT/);
});
