/** A registry that lies, breaks and stalls: every pull ends with the whole image or with one clear line and no trace. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createGzip, gzipSync } from "node:zlib";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";
import { rawEntry, rawTar } from "../../tools/harness/raw-tar.ts";
import { digestOf, ScriptedRegistry } from "../../tools/harness/scripted-registry.ts";

let engine: PrivateEngine;
let registry: ScriptedRegistry;
const TAR = rawTar([
  { path: "etc/", type: "5" },
  { path: "data", content: randomBytes(2_000_000) },
]);
const BLOB = gzipSync(TAR, { level: 1 });

beforeAll(async () => {
  registry = await ScriptedRegistry.start();
  engine = await PrivateEngine.start();
}, 120_000);

afterAll(async () => {
  await engine.close();
  await registry.close();
}, 120_000);

beforeEach(() => {
  registry.fault = () => false;
});

/** Pulls what must fail: exit code 1, one line, nothing left. Returns the line. */
async function refused(name: string): Promise<string> {
  const { exitCode, stderr } = await engine.berth(["pull", "-q", name]);
  expect({ exitCode, lines: stderr.trim().split("\n").length }).toEqual({ exitCode: 1, lines: 1 });
  expect(await engine.ok(["images", "-aq"])).toBe("");
  expect(readdirSync(join(engine.dataRoot, "layers"))).toEqual([]);
  expect(readdirSync(join(engine.dataRoot, "tmp"))).toEqual([]);
  return stderr.trim();
}

async function pulledAndGone(name: string): Promise<void> {
  await engine.ok(["pull", "-q", name]);
  await engine.ok(["rmi", name]);
}

describe("berth pull of a layer", () => {
  const flipped = Buffer.from(BLOB);
  flipped.writeUInt8(flipped.readUInt8(BLOB.length >> 1) ^ 1, BLOB.length >> 1);
  const flippedTar = Buffer.from(TAR);
  flippedTar.writeUInt8(flippedTar.readUInt8(TAR.length >> 1) ^ 1, TAR.length >> 1);
  const cut = BLOB.subarray(0, BLOB.length >> 1);
  const claims = { digest: digestOf(BLOB), size: BLOB.length };

  test.each([
    ["cut short, with the size of the whole", { blob: cut, claims }, /the registry has \d+ bytes of the \d+ that/],
    ["cut short", { blob: cut }, /corrupt or truncated gzip data/],
    [
      "with a flipped byte in the gzip",
      { blob: flipped, claims },
      /corrupt or truncated gzip data|verification failed/,
    ],
    [
      "with a flipped byte in the tar",
      { blob: flippedTar, claims: { digest: digestOf(TAR) } },
      /filesystem layer verification failed for digest/,
    ],
    ["larger than the manifest says", { claims: { size: 1000 } }, /the registry has \d+ bytes of the 1000 that/],
    [
      "with another diffID than the config says",
      { claims: { diffId: digestOf(BLOB) } },
      /expected sha256:\w+, got sha256/,
    ],
    ["that is no tar", { tar: Buffer.from("this is not a tar. ".repeat(100)) }, /invalid tar header: wrong checksum/],
  ])("%s is refused by name", async (_, layer, message) => {
    const { name, digests } = registry.image("bad", [{ tar: TAR, ...layer }]);
    const line = await refused(name);
    expect(line).toContain(digests[0] ?? "");
    expect(line).toMatch(message);
  });

  test("that grows without end is refused at the limit, before the disk is full", async () => {
    const bomb = await zeros(2 * 1024);
    const { name } = registry.image("bomb", [{ tar: TAR, blob: bomb }]);
    expect(await refused(name)).toContain("grows beyond the limit of 200 times its compressed size");
  }, 120_000);

  test("goes on from the byte reached when the connection breaks, again and again", async () => {
    const { name, digests } = registry.image("broken", [{ tar: TAR, blob: BLOB }]);
    let breaks = 0;
    registry.seen.length = 0;
    registry.fault = (request, response) => {
      if (!request.url?.endsWith(digests[0] ?? "-") || ++breaks > 3) return false;
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
      const range = { "content-range": `bytes ${start}-${BLOB.length - 1}/${BLOB.length}` };
      response.writeHead(start > 0 ? 206 : 200, { "content-length": BLOB.length - start, ...(start > 0 ? range : {}) });
      response.write(BLOB.subarray(start, start + 300_000), () => setTimeout(() => response.destroy(), 20));
      return true;
    };
    await pulledAndGone(name);
    const ranges = registry.seen.filter((line) => line.includes(digests[0] ?? "-")).map((line) => line.split(" ")[2]);
    expect(ranges).toEqual([undefined, "bytes=300000-", "bytes=600000-", "bytes=900000-"]);
  });
});

describe("berth pull from a registry in trouble", () => {
  const fails = (part: string, status: number, times: number, headers = {}): void => {
    registry.fault = (request, response) => {
      if (!request.url?.includes(part) || times-- <= 0) return false;
      response.writeHead(status, headers).end("no");
      return true;
    };
  };

  test("waits as 429 says, and tries again after 500", async () => {
    const { name } = registry.image("busy", [{ tar: TAR }]);
    fails("/blobs/", 429, 1, { "retry-after": "1" });
    const before = performance.now();
    await pulledAndGone(name);
    expect(performance.now() - before).toBeGreaterThan(950);
    fails("/manifests/", 500, 2);
    await pulledAndGone(name);
  });

  test("names the request that fails to the end", async () => {
    const { name } = registry.image("down", [{ tar: TAR }]);
    fails("/manifests/", 503, Number.POSITIVE_INFINITY);
    expect(await refused(name)).toBe(
      `Error response from daemon: Get "http://${registry.host}/v2/down/manifests/latest": received unexpected HTTP status: 503 Service Unavailable`,
    );
  }, 120_000);

  test("reads no manifest without end", async () => {
    registry.fault = (request, response) => {
      if (!request.url?.includes("/manifests/")) return false;
      response.writeHead(200);
      const more = (): void =>
        void (
          response.destroyed ||
          (response.write(Buffer.alloc(65_536, " ")) ? setImmediate(more) : response.once("drain", more))
        );
      more();
      return true;
    };
    expect(await refused(`${registry.host}/endless`)).toContain(
      "manifest of endless: larger than the limit of 4194304 bytes",
    );
  });

  test.each([
    ["that is no JSON", "<html>", "manifest is malformed: not JSON"],
    ["of schema 1", '{"schemaVersion":1}', "schema 1 support has been removed"],
    [
      "of a Helm chart",
      `{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"${digestOf(TAR)}","size":1}}`,
      'Encountered remote "application/vnd.cncf.helm.config.v1+json"(unknown) when fetching',
    ],
    [
      "whose digest is a path",
      '{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:../../x","size":1}}',
      "manifest is malformed: a descriptor in config lacks type, digest or size",
    ],
  ])("refuses a manifest %s", async (_, body, message) => {
    registry.fault = (request, response) => {
      if (!request.url?.includes("/manifests/")) return false;
      response.end(body);
      return true;
    };
    const line = await refused(`${registry.host}/odd`);
    expect(line).toContain(`${registry.host}/odd`);
    expect(line).toContain(message);
  });

  test.each([
    [{ Env: "PATH=/bin" }, 'cannot read "config.Env": expected a list, not a string'],
    [{ Cmd: [1, 2] }, 'cannot read "config.Cmd[0]": expected a string, not 1'],
    [{ User: 7 }, 'cannot read "config.User": expected a string, not 7'],
    [{ Labels: ["a"] }, 'cannot read "config.Labels": expected an object, not a list'],
  ])("refuses a config with %j", async (config, message) => {
    const line = await refused(registry.image("odd-config", [{ tar: TAR }], config).name);
    expect(line).toMatch(/^image config sha256:[0-9a-f]{64}: image config is malformed: /);
    expect(line).toContain(message);
  });
});

describe("berth pull of what is not there or not allowed", () => {
  test("says which host, registry, repository or name", async () => {
    expect(await refused("no-such-registry.invalid/a/b")).toContain("lookup no-such-registry.invalid");
    expect(await refused("127.0.0.1:1/a/b")).toContain("dial tcp 127.0.0.1:1: connect: connection refused");
    expect(await refused(`${registry.host}/none`)).toContain(`manifest for ${registry.host}/none:latest not found`);
    expect(await refused("a b")).toBe("invalid reference format");
  }, 120_000);

  test("wants the right credentials, and says what was wrong with others", async () => {
    const hash = await Bun.password.hash("secret", { algorithm: "bcrypt", cost: 4 });
    const locked = await PrivateRegistry.start({ htpasswd: `me:${hash.replace("$2b$", "$2y$")}\n` });
    const config = join(engine.directory, "config.json");
    const pull = async (auth?: string): Promise<string> => {
      const auths =
        auth === undefined ? {} : { auths: { [locked.host]: { auth: Buffer.from(auth).toString("base64") } } };
      writeFileSync(config, JSON.stringify(auths));
      const result = await engine.berth(["pull", "-q", `${locked.host}/a/b`], {
        env: { DOCKER_CONFIG: engine.directory },
      });
      expect(result.exitCode).toBe(1);
      return result.stderr;
    };
    expect(await pull()).toContain("no basic auth credentials");
    expect(await pull("me:wrong")).toContain("unauthorized: authentication required");
    expect(await pull("me:secret")).toContain(`manifest for ${locked.host}/a/b:latest not found`);
    rmSync(config);
    await locked.close();
  });
});

/** So many mebibytes of zeros as the one file of a gzipped tar. */
async function zeros(mebibytes: number): Promise<Uint8Array> {
  const gzip = createGzip({ level: 9 });
  const chunks: Buffer[] = [];
  gzip.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => gzip.once("end", resolve));
  gzip.write(rawEntry({ path: "zeros", size: mebibytes * 1024 * 1024 }));
  const block = Buffer.alloc(1024 * 1024);
  for (let count = 0; count < mebibytes; count++) {
    if (!gzip.write(block)) await new Promise((resolve) => gzip.once("drain", resolve));
  }
  gzip.end();
  await ended;
  return Buffer.concat(chunks);
}
