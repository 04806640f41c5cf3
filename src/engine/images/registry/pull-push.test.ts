import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type ImageTestBed, makeImage, openImageTestBed } from "#engine/images/image-test-bed.ts";
import { inspectImage } from "#engine/images/inspect.ts";
import { removeImage } from "#engine/images/remove.ts";
import { CancelledError, DataLossError, ForbiddenError, NotFoundError, UnavailableError } from "#errors/errors.ts";
import {
  type FaultyProxy,
  freePort,
  startFaultyProxy,
  startRegistry,
  type TestRegistry,
} from "#registry/registry-test-bed.ts";
import type { JsonMessage } from "#spec/docker-messages.ts";
import { runCommand } from "#sys/command.ts";
import { inflate } from "#sys/compression/inflate.ts";
import { pullImage } from "./pull.ts";
import { pushImage } from "./push.ts";

/** htpasswd -Bbn berth secret */
const HTPASSWD = "berth:$2y$05$Pu7xNVbJsa2xlHAHm172Z.33q1YaPC3MDch1lLgaM.mi2nylhmjz6\n";

let registry: TestRegistry;
let proxy: FaultyProxy;
let source: ImageTestBed;
let target: ImageTestBed;

beforeAll(async () => {
  registry = await startRegistry();
  proxy = await startFaultyProxy(registry);
});
afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  source = await openImageTestBed({ inflate });
  target = await openImageTestBed({ inflate });
  proxy.seen.length = 0;
  proxy.rule = () => undefined;
});
afterEach(async () => {
  await source[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

const texts = (messages: readonly JsonMessage[]): string[] =>
  messages.map(({ id, status }) => (id ? `${id}: ${status}` : `${status}`));

async function pushed(name: string, ...stack: Record<string, string | Uint8Array>[]): Promise<string> {
  const full = `${registry.host}/${name}`;
  await makeImage(source, full, stack);
  await pushImage(source.context, full, { onProgress: source.onProgress });
  return full;
}

describe("pushImage() and pullImage()", () => {
  test("bring an image to a registry and back, with Docker's lines", async () => {
    const name = await pushed("app/round:v1", { "a.txt": "one" }, { "b.txt": randomBytes(300_000) });
    const said = texts(source.messages);
    expect(said[0]).toBe(`The push refers to repository [${registry.host}/app/round]`);
    expect(said.filter((line) => line.endsWith(": Pushed"))).toHaveLength(2);
    const [pulled] = await pullImage(target.context, name, { onProgress: target.onProgress });
    const lines = texts(target.messages);
    expect(lines[0]).toBe("v1: Pulling from app/round");
    expect(lines.filter((line) => line.endsWith(": Pull complete"))).toHaveLength(2);
    expect(lines.slice(-2)).toEqual([`Digest: ${pulled?.digest}`, `Status: Downloaded newer image for ${name}`]);
    expect(said.some((line) => line.startsWith(`v1: digest: ${pulled?.digest} size: `))).toBe(true);
    const ours = inspectImage(source.context, name);
    const theirs = inspectImage(target.context, name);
    expect(theirs.Id).toBe(ours.Id);
    expect(theirs.RepoDigests).toEqual([`${registry.host}/app/round@${pulled?.digest}`]);
    expect(theirs.Size).toBe(300_003);
    target.messages.length = 0;
    await pullImage(target.context, name, { onProgress: target.onProgress });
    expect(texts(target.messages).at(-1)).toBe(`Status: Image is up to date for ${name}`);
    expect(texts(target.messages)).toHaveLength(3);
  });

  test("push again and elsewhere: nothing is sent twice, blobs are mounted, the digest is kept", async () => {
    const name = await pushed("app/first:v1", { "a.txt": randomBytes(50_000) });
    const [pulled] = await pullImage(target.context, name, { onProgress: target.onProgress });
    target.context.images.setReference({ domain: registry.host, path: "app/second", tag: "v2" }, pulled!.id);
    target.messages.length = 0;
    await pushImage(target.context, `${registry.host}/app/second:v2`, { onProgress: target.onProgress });
    expect(texts(target.messages).some((line) => line.endsWith(": Mounted from app/first"))).toBe(true);
    expect(texts(target.messages).some((line) => line.startsWith(`v2: digest: ${pulled!.digest}`))).toBe(true);
    target.messages.length = 0;
    await pushImage(target.context, `${registry.host}/app/second:v2`, { onProgress: target.onProgress });
    expect(texts(target.messages).some((line) => line.endsWith(": Layer already exists"))).toBe(true);
  });

  test("a pushed image is right in the eyes of skopeo, and skopeo's OCI and zstd copies pull", async () => {
    const name = await pushed("app/formats:v1", { "a.txt": "one" }, { "b/c.txt": "two" });
    const seen = await runCommand("skopeo", ["inspect", "--tls-verify=false", `docker://${name}`]);
    expect(JSON.parse(seen.stdout).Layers).toHaveLength(2);
    const copy = `docker://${registry.host}/app/oci:v1`;
    const flags = ["--src-tls-verify=false", "--dest-tls-verify=false", "--insecure-policy"];
    await runCommand(
      "skopeo",
      ["copy", ...flags, "--format=oci", "--dest-compress", "--dest-compress-format=zstd", `docker://${name}`, copy],
      {
        env: { HOME: source.directory, XDG_RUNTIME_DIR: source.directory },
      },
    );
    const raw = await runCommand("skopeo", ["inspect", "--raw", "--tls-verify=false", copy]);
    expect(raw.stdout).toContain("application/vnd.oci.image.layer.v1.tar+zstd");
    await pullImage(target.context, `${registry.host}/app/oci:v1`, { onProgress: target.onProgress });
    expect(inspectImage(target.context, `${registry.host}/app/oci:v1`).RootFS).toEqual(
      inspectImage(source.context, name).RootFS,
    );
  });

  test("pull by digest, all tags, and a platform of an index", async () => {
    const name = await pushed("app/many:v1", { "a.txt": "one" });
    await makeImage(source, `${registry.host}/app/many:v2`, [{ "a.txt": "two" }]);
    await pushImage(source.context, `${registry.host}/app/many`, { onProgress: source.onProgress, allTags: true });
    const all = await pullImage(target.context, `${registry.host}/app/many`, {
      onProgress: target.onProgress,
      allTags: true,
    });
    expect(all).toHaveLength(2);
    const digest = all[0]!.digest;
    await removeImage(target.context, name, { force: false });
    const [byDigest] = await pullImage(target.context, `${registry.host}/app/many@${digest}`, {
      onProgress: target.onProgress,
    });
    expect(inspectImage(target.context, `${registry.host}/app/many@${digest}`).Id).toBe(byDigest!.id);
    await putIndex("app/index", "v1", [
      ["arm64", await pushedManifest("app/index", "arm64", { "arch.txt": "arm64" })],
      ["amd64", await pushedManifest("app/index", "amd64", { "arch.txt": "amd64" })],
    ]);
    const index = `${registry.host}/app/index:v1`;
    await pullImage(target.context, index, { platform: "linux/arm64/v8", onProgress: target.onProgress });
    expect(inspectImage(target.context, index).Architecture).toBe("arm64");
    const wrong = pullImage(target.context, index, { platform: "linux/s390x", onProgress: target.onProgress });
    await expect(wrong).rejects.toThrow("no matching manifest for linux/s390x in the manifest list entries");
  });

  test("two pulls of one image at once fetch each blob once and both hear of it", async () => {
    const name = await pushed("app/twice:v1", { "a.bin": randomBytes(400_000) }, { "b.bin": randomBytes(400_000) });
    const viaProxy = name.replace(registry.host, proxy.host);
    const heard: JsonMessage[] = [];
    await Promise.all([
      pullImage(target.context, viaProxy, { onProgress: target.onProgress }),
      pullImage(target.context, viaProxy, { onProgress: (message) => void heard.push(message) }),
    ]);
    expect(proxy.seen.filter(({ url }) => url.includes("/blobs/"))).toHaveLength(3);
    expect(texts(heard).at(-1)).toBe(`Status: Downloaded newer image for ${viaProxy}`);
  });

  test("an aborted pull leaves no image, and its complete layers are used again", async () => {
    const name = await pushed("app/abort:v1", { "a.bin": randomBytes(1000) }, { "b.bin": randomBytes(3_000_000) });
    const viaProxy = name.replace(registry.host, proxy.host);
    const abort = new AbortController();
    proxy.rule = ({ url }) =>
      url.includes("/blobs/") && target.layers.list().length === 1 ? { kind: "wait", ms: 5000 } : undefined;
    const largest = inspectImage(source.context, name);
    expect(largest.RootFS.Layers).toHaveLength(2);
    const pulling = pullImage({ ...target.context, maxConcurrentDownloads: 1 }, viaProxy, {
      onProgress: target.onProgress,
      signal: abort.signal,
    });
    while (target.layers.list().length === 0) await Bun.sleep(5);
    abort.abort();
    await expect(pulling).rejects.toBeInstanceOf(CancelledError);
    expect(target.context.images.list()).toHaveLength(0);
    proxy.rule = () => undefined;
    target.messages.length = 0;
    await pullImage(target.context, viaProxy, { onProgress: target.onProgress });
    expect(texts(target.messages).filter((line) => line.endsWith("Already exists"))).toHaveLength(1);
  });
});

describe("pullImage() over a bad line", () => {
  const isBlob = (url: string, size: number): boolean => url.includes("/blobs/") && size > 0;

  test("resumes a broken download by Range from the byte reached", async () => {
    const name = await pushed("bad/cut:v1", { "a.bin": randomBytes(2_000_000) });
    const viaProxy = name.replace(registry.host, proxy.host);
    const largest = await largestLayerDigest(name);
    proxy.rule = ({ url, range }) =>
      url.endsWith(largest) && range === undefined ? { kind: "cut", after: 700_000 } : undefined;
    await pullImage(target.context, viaProxy, { onProgress: target.onProgress });
    const requests = proxy.seen.filter(({ url }) => url.endsWith(largest));
    expect(requests.map(({ range }) => range)).toEqual([undefined, expect.stringMatching(/^bytes=\d+-$/)]);
    expect(Number(requests[1]?.range?.match(/\d+/)?.[0])).toBeGreaterThan(0);
  });

  test("skips what it has when the server ignores Range", async () => {
    const name = await pushed("bad/norange:v1", { "a.bin": randomBytes(2_000_000) });
    const largest = await largestLayerDigest(name);
    proxy.rule = ({ url, range }) => {
      if (!url.endsWith(largest)) return undefined;
      return range === undefined ? { kind: "cut", after: 900_000 } : { kind: "ignore-range" };
    };
    await pullImage(target.context, name.replace(registry.host, proxy.host), { onProgress: target.onProgress });
    expect(target.context.images.list()).toHaveLength(1);
  });

  test("gives up at once when the registry's quota is used up for hours", async () => {
    await pushed("quota/app:v1", { "a.txt": "x" });
    const body = '{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}';
    proxy.rule = ({ url }) =>
      url.includes("/manifests/")
        ? { kind: "status", status: 429, headers: { "retry-after": "21600" }, body }
        : undefined;
    const before = proxy.seen.length;
    const limited = pullImage(target.context, `${proxy.host}/quota/app:v1`, { onProgress: target.onProgress });
    await expect(limited).rejects.toThrow("toomanyrequests: You have reached your pull rate limit.");
    expect(proxy.seen.slice(before).filter(({ url }) => url.includes("/manifests/"))).toHaveLength(1);
  });

  test("tries again after 503, and after 429 when the server says", async () => {
    const name = await pushed("bad/busy:v1", { "a.bin": randomBytes(1000) });
    const faults = [503, 429];
    const times: number[] = [];
    proxy.rule = ({ url }) => {
      if (!url.includes("/manifests/")) return undefined;
      times.push(performance.now());
      const status = faults.shift();
      return status ? { kind: "status", status, headers: status === 429 ? { "retry-after": "1" } : {} } : undefined;
    };
    await pullImage(target.context, name.replace(registry.host, proxy.host), { onProgress: target.onProgress });
    expect(times).toHaveLength(3);
    expect(times[2]! - times[1]!).toBeGreaterThan(950);
  });

  test("gives up with the registry's words when it stays broken", async () => {
    const name = await pushed("bad/down:v1", { "a.bin": "x" });
    proxy.rule = ({ url }) => (isBlob(url, 1) ? { kind: "status", status: 503, body: "no" } : undefined);
    const pulling = pullImage(target.context, name.replace(registry.host, proxy.host), {
      onProgress: target.onProgress,
    });
    await expect(pulling).rejects.toThrow("received unexpected HTTP status: 503");
    await expect(pulling).rejects.toBeInstanceOf(UnavailableError);
  });

  test("refuses a flipped byte in a layer, a config and a manifest, and leaves no trace", async () => {
    const name = await pushed("bad/flip:v1", { "a.bin": randomBytes(500_000) });
    const viaProxy = name.replace(registry.host, proxy.host);
    const largest = await largestLayerDigest(name);
    const isTarget = [
      ({ url }: { url: string }) => url.endsWith(largest),
      ({ url }: { url: string }) => url.includes("/blobs/") && !url.endsWith(largest),
      ({ url }: { url: string }) => url.includes("/manifests/"),
    ];
    for (const hits of isTarget) {
      proxy.rule = (seen) => (hits(seen) ? { kind: "flip", at: 100 } : undefined);
      const pulling = pullImage(target.context, viaProxy, { onProgress: target.onProgress });
      await expect(pulling).rejects.toBeInstanceOf(DataLossError);
      expect(target.context.images.list()).toHaveLength(0);
      expect(target.layers.list()).toHaveLength(0);
      expect(await readdir(join(target.directory, "layers")).catch(() => [])).toEqual([]);
      expect(await target.context.blobs.list()).toHaveLength(0);
    }
  });
});

describe("pullImage() refusals", () => {
  test("name what is missing, in Docker's words", async () => {
    await pushed("known/repo:v1", { "a.txt": "x" });
    const missing = pullImage(target.context, `${registry.host}/known/repo:nope`, { onProgress: target.onProgress });
    await expect(missing).rejects.toThrow(
      `manifest for ${registry.host}/known/repo:nope not found: manifest unknown: manifest unknown`,
    );
    await expect(missing).rejects.toBeInstanceOf(NotFoundError);
    proxy.rule = ({ url }) =>
      url.includes("/manifests/")
        ? {
            kind: "status",
            status: 401,
            headers: { "www-authenticate": 'Bearer realm="x",error="insufficient_scope"' },
          }
        : undefined;
    const denied = pullImage(target.context, `${proxy.host}/secret`, { onProgress: target.onProgress });
    await expect(denied).rejects.toThrow(/expected an https address|pull access denied/);
  });

  test("name a registry that does not answer", async () => {
    const port = await freePort();
    const refused = pullImage(target.context, `127.0.0.1:${port}/x`, { onProgress: target.onProgress });
    await expect(refused).rejects.toThrow(
      `Get "http://127.0.0.1:${port}/v2/": dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
    const unknown = pullImage(target.context, "no-such-host.invalid/x", { onProgress: target.onProgress });
    // What the machine's name server says; in a network namespace of its own it has none.
    await expect(unknown).rejects.toThrow(
      /^Get "https:\/\/no-such-host\.invalid\/v2\/": dial tcp: lookup no-such-host\.invalid: (no such host|Temporary failure in name resolution)$/,
    );
  });

  test("want credentials where the registry does, and send them nowhere else", async () => {
    await using locked = await startRegistry(HTPASSWD);
    const name = `${locked.host}/private/app:v1`;
    await makeImage(source, name, [{ "a.txt": "secret" }]);
    const push = (password: string): Promise<void> =>
      pushImage(source.context, name, { credentials: { username: "berth", password }, onProgress: source.onProgress });
    await expect(push("wrong")).rejects.toBeInstanceOf(ForbiddenError);
    await push("secret");
    const anonymous = pullImage(target.context, name, { onProgress: target.onProgress });
    await expect(anonymous).rejects.toThrow(/^Get "http.*": no basic auth credentials$/);
    const giver = pushImage(source.context, name, { onProgress: source.onProgress });
    await expect(giver).rejects.toThrow(/^no basic auth credentials$/);
    const credentials = { username: "berth", password: "secret" };
    await pullImage(target.context, name, { credentials, onProgress: target.onProgress });
    expect(inspectImage(target.context, name).RepoTags).toEqual([name]);
  });

  test("push: unknown tags", async () => {
    const nothing = pushImage(source.context, `${registry.host}/none`, { onProgress: source.onProgress });
    await expect(nothing).rejects.toThrow(`An image does not exist locally with the tag: ${registry.host}/none`);
    await makeImage(source, `${registry.host}/some:v1`, [{ a: "b" }]);
    const wrong = pushImage(source.context, `${registry.host}/some:v9`, { onProgress: source.onProgress });
    await expect(wrong).rejects.toThrow(`tag does not exist: ${registry.host}/some:v9`);
  });
});

async function largestLayerDigest(name: string): Promise<string> {
  const [, repository, tag] = /^[^/]+\/(.+):([^:]+)$/.exec(name) ?? [];
  const response = await fetch(`http://${registry.host}/v2/${repository}/manifests/${tag}`, {
    headers: { accept: "application/vnd.docker.distribution.manifest.v2+json" },
  });
  const { layers } = (await response.json()) as { layers: { digest: string; size: number }[] };
  return layers.toSorted((a, b) => b.size - a.size)[0]!.digest;
}

async function pushedManifest(path: string, architecture: string, files: Record<string, string>): Promise<string> {
  const name = `${registry.host}/${path}:${architecture}`;
  await makeImage(source, name, [files], { architecture });
  source.messages.length = 0;
  await pushImage(source.context, name, { onProgress: source.onProgress });
  return String((source.messages.at(-1)!.aux as { Digest: string }).Digest);
}

async function putIndex(path: string, tag: string, entries: [architecture: string, digest: string][]): Promise<void> {
  const mediaType = "application/vnd.docker.distribution.manifest.list.v2+json";
  const manifests = await Promise.all(
    entries.map(async ([architecture, digest]) => {
      const accept = { accept: "application/vnd.docker.distribution.manifest.v2+json" };
      const response = await fetch(`http://${registry.host}/v2/${path}/manifests/${digest}`, { headers: accept });
      const { byteLength } = await response.arrayBuffer();
      return { mediaType: accept.accept, digest, size: byteLength, platform: { os: "linux", architecture } };
    }),
  );
  const response = await fetch(`http://${registry.host}/v2/${path}/manifests/${tag}`, {
    method: "PUT",
    headers: { "content-type": mediaType },
    body: JSON.stringify({ schemaVersion: 2, mediaType, manifests }),
  });
  if (!response.ok) throw new Error(await response.text());
}
