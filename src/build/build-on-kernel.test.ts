import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  createReadStream,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { digestOf } from "#formats/digest.ts";
import { RuntimeTestBed } from "#runtime/runtime-test-bed.ts";
import { OverlaySnapshotter } from "#snapshot/overlay-snapshotter.ts";
import type { Digest } from "#spec/digest.ts";
import type { ImageConfig } from "#spec/oci-image.ts";
import { BuildCacheStore } from "#store/build-cache.ts";
import { Database } from "#store/database.ts";
import { LayerFileStore } from "#store/layer-file-store.ts";
import { runCommand } from "#sys/command.ts";
import { inflate } from "#sys/inflate.ts";
import { mountsBelow } from "#sys/mount-info.ts";
import { getXattr, listXattrs } from "#sys/xattr.ts";
import { openedContext } from "./build-client.ts";
import type { BaseImage, BuildContext, BuildRequest, ContextEntry } from "./builder.ts";
import { DockerfileBuilder } from "./dockerfile-builder.ts";

/** Real layers, mounts and containers; the base is a busybox root. */
let directory: string;
let fixture: RuntimeTestBed;
let database: Database;
let layers: LayerFileStore;
let snapshotter: OverlaySnapshotter;
let builder: DockerfileBuilder;
let base: BaseImage;
let logs = "";
const created: ImageConfig[] = [];

beforeAll(async () => {
  directory = mkdtempSync("/tmp/berth-build-");
  fixture = await RuntimeTestBed.create();
  database = new Database(join(directory, "db"));
  layers = new LayerFileStore({ directory: join(directory, "layers"), database });
  for (const name of ["snapshots", "mounts", "scratch"]) mkdirSync(join(directory, name));
  snapshotter = new OverlaySnapshotter({
    stateDirectory: join(directory, "snapshots"),
    mountDirectory: join(directory, "mounts"),
  });
  const root = await fixture.rootfs();
  await runCommand("tar", ["-cf", join(directory, "base.tar"), "-C", root, "."]);
  const layer = await layers.ingest(createReadStream(join(directory, "base.tar")));
  const config: ImageConfig = {
    architecture: "amd64",
    os: "linux",
    config: { Env: ["PATH=/bin"] },
    rootfs: { type: "layers", diff_ids: [layer.diffId] },
    history: [{ created: "2024-01-01T00:00:00Z", created_by: "base" }],
  };
  base = { id: digestOf("base"), config, layers: [layer] };
  writeFileSync(join(directory, "hosts"), "127.0.0.1 localhost\n10.1.2.3 extra\n");
  writeFileSync(join(directory, "resolv.conf"), "nameserver 10.1.2.4\n");
  builder = new DockerfileBuilder({
    snapshotter,
    runtime: fixture.runtime,
    layers,
    cache: new BuildCacheStore(database),
    readXattrs: (path) => new Map(listXattrs(path).map((name) => [name, getXattr(path, name) ?? new Uint8Array()])),
    inflate,
    scratchDirectory: join(directory, "scratch"),
    host: {
      resolveImage: async () => base,
      createImage: async (config): Promise<Digest> => {
        created.push(config);
        return digestOf(JSON.stringify(config));
      },
      openNetwork: async () => ({
        network: { kind: "none" },
        hostsPath: join(directory, "hosts"),
        resolvConfPath: join(directory, "resolv.conf"),
        [Symbol.asyncDispose]: async () => undefined,
      }),
    },
  });
});

afterAll(async () => {
  await snapshotter.releaseIdle();
  await fixture[Symbol.asyncDispose]();
  database[Symbol.dispose]();
  expect(await mountsBelow(directory)).toEqual([]);
  rmSync(directory, { recursive: true, force: true });
});

function contextOf(files: Record<string, string | Uint8Array>): BuildContext {
  const bytes = new Map(Object.entries(files).map(([path, content]) => [path, Buffer.from(content)]));
  const entries = [...bytes].map(
    ([path, content]): ContextEntry => ({
      path,
      type: "file",
      mode: 0o644,
      size: content.length,
      mtime: 1_700_000_000_000,
      linkname: "",
      digest: digestOf(content),
    }),
  );
  entries.sort((left, right) => (left.path < right.path ? -1 : 1));
  const read = (entry: ContextEntry): Buffer => bytes.get(entry.path)!;
  return {
    entries,
    read,
    stream: async function* (entry) {
      yield read(entry);
    },
    transferred: 0,
  };
}

async function build(
  dockerfile: string,
  files: Record<string, string | Uint8Array> = {},
  more: Partial<BuildRequest> = {},
): Promise<ImageConfig> {
  logs = "";
  await builder.build({
    input: { kind: "files", dockerfile: Buffer.from(dockerfile), context: openedContext(contextOf(files)) },
    dockerfileName: "Dockerfile",
    tags: [],
    buildArgs: {},
    labels: {},
    target: "",
    noCache: false,
    pull: false,
    networkMode: "none",
    extraHosts: [],
    platform: "linux/amd64",
    onStatus: (status) => {
      for (const { data } of status.logs ?? []) logs += Buffer.from(data, "base64").toString();
    },
    signal: new AbortController().signal,
    ...more,
  });
  return created.at(-1)!;
}

/** Looks at the root of an image. */
async function inRoot<T>(image: ImageConfig, work: (path: string) => T): Promise<T> {
  await using view = await snapshotter.view(image.rootfs.diff_ids.map((diffId) => layers.layer(diffId)!));
  return work(view.path);
}

/** The names in an image's topmost layer. */
async function topLayer(image: ImageConfig): Promise<string[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of layers.readTar(layers.layer(image.rootfs.diff_ids.at(-1)!)!)) chunks.push(chunk);
  const { stdout } = await runCommand("tar", ["-t"], { input: Buffer.concat(chunks) });
  return stdout.split("\n").filter((line) => line !== "");
}

describe("DockerfileBuilder.build() on the kernel", () => {
  test("RUN sees what lies below, its environment, and leaves its changes", async () => {
    const image = await build(
      [
        "FROM base",
        "ARG V=7",
        "ENV A=env",
        "RUN chmod 1777 /tmp",
        "WORKDIR /app",
        "COPY --chown=app a.txt .",
        "USER app",
        'RUN echo "$A $V $(id -u) $(pwd) $(hostname) $(cat a.txt) $HOME" > /tmp/out; cat /tmp/out; echo err >&2',
        "USER root",
        "RUN rm /app/a.txt && chmod 700 /app",
      ].join("\n"),
      { "a.txt": "text" },
    );
    await inRoot(image, (root) => {
      expect(readFileSync(join(root, "tmp/out"), "utf8")).toBe("env 7 1000 /app buildkitsandbox text /home/app\n");
      expect(readdirSync(join(root, "app"))).toEqual([]);
      expect(lstatSync(join(root, "app")).mode & 0o777).toBe(0o700);
    });
    expect(logs).toContain("env 7 1000 /app buildkitsandbox text");
    expect(logs).toContain("err\n");
  });

  test("mount points that the runtime makes are no part of the layer", async () => {
    const image = await build("FROM base\nRUN cat /etc/hosts /etc/resolv.conf && touch /mine\n");
    expect(logs).toContain("10.1.2.3 extra");
    expect(logs).toContain("nameserver 10.1.2.4");
    const names = await topLayer(image);
    expect(names).toContain("mine");
    expect(names.filter((name) => /^(dev|proc|sys|etc\/(hosts|resolv.conf))/.test(name))).toEqual([]);
  });

  test("COPY changes nothing of the directories that it passes", async () => {
    const image = await build("FROM base\nRUN chmod 1777 /tmp && mkdir -m 711 /tmp/d\nCOPY a /tmp/d/e/\n", { a: "1" });
    await inRoot(image, (root) => {
      expect(lstatSync(join(root, "tmp")).mode & 0o7777).toBe(0o1777);
      expect(lstatSync(join(root, "tmp/d")).mode & 0o7777).toBe(0o711);
      expect(readFileSync(join(root, "tmp/d/e/a"), "utf8")).toBe("1");
      expect(readdirSync(join(root, "bin")).length).toBeGreaterThan(100);
    });
  });

  test("COPY --from takes owners, links and hard links along", async () => {
    const image = await build(
      [
        "FROM base AS made",
        "RUN mkdir /out && cd /out && echo 1 > f && ln f g && ln -s f l && chown 5:6 f",
        "FROM scratch",
        "COPY --from=made /out /here",
        "COPY --from=0 /out/l /link-content",
      ].join("\n"),
    );
    await inRoot(image, (root) => {
      expect(lstatSync(join(root, "here/f"))).toMatchObject({ uid: 5, gid: 6, nlink: 2 });
      expect(lstatSync(join(root, "here/f")).ino).toBe(lstatSync(join(root, "here/g")).ino);
      expect(lstatSync(join(root, "here/l")).isSymbolicLink()).toBe(true);
      expect(readFileSync(join(root, "link-content"), "utf8")).toBe("1\n");
      expect(lstatSync(join(root, "here")).mode & 0o777).toBe(0o755);
    });
  });

  test("ADD unpacks archives by content, whatever their name", async () => {
    const source = mkdtempSync(join(directory, "tar-"));
    mkdirSync(join(source, "d"));
    writeFileSync(join(source, "d/x"), "in");
    await runCommand("tar", ["-czf", join(source, "t"), "-C", source, "d"]);
    const files = { "archive.txt": readFileSync(join(source, "t")), "not.tar.gz": "plain" };
    const image = await build("FROM base\nADD archive.txt not.tar.gz /to/\n", files);
    await inRoot(image, (root) => {
      expect(readFileSync(join(root, "to/d/x"), "utf8")).toBe("in");
      expect(readFileSync(join(root, "to/not.tar.gz"), "utf8")).toBe("plain");
    });
    expect(readdirSync(join(directory, "scratch"))).toEqual([]);
  });

  test("heredocs: a script for the shell, one with its interpreter, an inline file", async () => {
    const image = await build(
      "FROM base\nRUN <<EOF\necho one > /a\necho two >> /a\nEOF\nRUN <<EOF\n#!/bin/cat\nhello\nEOF\nCOPY <<F /f\ntext\nF\n",
    );
    await inRoot(image, (root) => {
      expect(readFileSync(join(root, "a"), "utf8")).toBe("one\ntwo\n");
      expect(readFileSync(join(root, "f"), "utf8")).toBe("text\n");
    });
    expect(logs).toContain("#!/bin/cat\nhello");
  });

  test("FROM scratch with nothing but files", async () => {
    const image = await build("FROM scratch\nWORKDIR /w\nCOPY a .\n", { a: "1" });
    await inRoot(image, (root) => expect(readdirSync(root)).toEqual(["w"]));
    expect(image.config?.WorkingDir).toBe("/w");
  });

  test("a failing command fails the build with its code, and nothing stays", async () => {
    const failed = await build("FROM base\nRUN echo why; exit 7\n").catch((error) => error.failure);
    expect(failed).toMatchObject({ code: 7, tail: ["why"], vertexName: "[2/2] RUN echo why; exit 7" });
    const missing = await build('FROM base\nRUN ["/nope"]\n').catch((error) => error.failure);
    expect(missing).toMatchObject({ code: 127 });
    expect(missing.message).toStartWith('failed to solve: process "/nope" did not complete successfully: ');
    expect(await snapshotter.keys()).toEqual([]);
  });

  test("an abort ends a running command within two seconds, and nothing stays", async () => {
    const controller = new AbortController();
    const running = build("FROM base\nRUN sleep 100\n", {}, { signal: controller.signal }).catch((error) => error.code);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const started = performance.now();
    controller.abort();
    expect(await running).toBe("cancelled");
    expect(performance.now() - started).toBeLessThan(2000);
    expect(await snapshotter.keys()).toEqual([]);
  });
});
