import { afterAll, beforeAll, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";
import { rawTar } from "../../tools/harness/raw-tar.ts";
import { digestOf } from "../../tools/harness/scripted-registry.ts";

let engine: PrivateEngine;
let registry: PrivateRegistry;

beforeAll(async () => {
  registry = await PrivateRegistry.start({ takesForeignLayers: true });
  engine = await PrivateEngine.start();
}, 120_000);

afterAll(async () => {
  await engine.close();
  await registry.close();
}, 120_000);

const MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";

async function upload(repository: string, bytes: Uint8Array): Promise<void> {
  const begun = await fetch(`http://${registry.host}/v2/${repository}/blobs/uploads/`, { method: "POST" });
  const location = new URL(begun.headers.get("location") ?? "", `http://${registry.host}`);
  location.searchParams.set("digest", digestOf(bytes));
  const put = await fetch(location, { method: "PUT", body: new Uint8Array(bytes) });
  expect(put.status).toBe(201);
}

test("a foreign layer is pulled from its URL, and a push leaves it out and keeps the digest", async () => {
  const tar = rawTar([{ path: "secret", content: Buffer.from("only there") }]);
  const blob = gzipSync(tar);
  const asked: string[] = [];
  using files = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      asked.push(new URL(request.url).pathname);
      return asked.length === 1 ? new Response("gone", { status: 404 }) : new Response(blob);
    },
  });
  const config = Buffer.from(
    JSON.stringify({
      os: "linux",
      architecture: process.arch === "arm64" ? "arm64" : "amd64",
      config: {},
      rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
    }),
  );
  await upload("foreign", config);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: {
      mediaType: "application/vnd.docker.container.image.v1+json",
      digest: digestOf(config),
      size: config.length,
    },
    layers: [
      {
        mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        digest: digestOf(blob),
        size: blob.length,
        urls: [`${files.url}first`, `${files.url}second`],
      },
    ],
  });
  const name = `${registry.host}/foreign:1`;
  const put = await fetch(`http://${registry.host}/v2/foreign/manifests/1`, {
    method: "PUT",
    headers: { "content-type": MANIFEST },
    body: manifest,
  });
  expect(put.status).toBe(201);
  const digest = put.headers.get("docker-content-digest") ?? "";
  expect(await engine.ok(["pull", name])).toContain(`Digest: ${digest}`);
  expect(asked).toEqual(["/first", "/second"]);
  const target = `${registry.host}/elsewhere:1`;
  await engine.ok(["tag", name, target]);
  const pushed = await engine.ok(["push", target]);
  expect(pushed).toContain("Skipped foreign layer");
  expect(pushed).toContain(`digest: ${digest}`);
  const there = await fetch(`http://${registry.host}/v2/elsewhere/blobs/${digestOf(blob)}`, { method: "HEAD" });
  expect(there.status).toBe(404);
});
