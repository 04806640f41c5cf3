import { createReadStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openedContext } from "#build/build-client.ts";
import type { BaseImage, BuildContext, BuildRequest, ContextEntry } from "#build/builder.ts";
import { DockerfileBuilder } from "#build/dockerfile-builder.ts";
import { NO_DEVICES } from "#build/graph/step-devices.ts";
import { CacheMounts } from "#build/ops/run/cache-mounts.ts";
import { NotImplementedError, SystemError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import { RuntimeTestBed } from "#runtime/runtime-test-bed.ts";
import { OverlaySnapshotter } from "#snapshot/overlay-snapshotter.ts";
import type { ImageConfig } from "#spec/oci-image.ts";
import { BuildCacheStore } from "#store/build-cache.ts";
import { CacheMountStore } from "#store/cache-mount-store.ts";
import { Database } from "#store/database.ts";
import { LayerFileStore } from "#store/layer-file-store.ts";
import { runCommand } from "#sys/command.ts";
import { inflate } from "#sys/compression/inflate.ts";
import { diskUsage } from "#sys/disk-usage.ts";
import { mountsBelow } from "#sys/mounts/mount-info.ts";
import { mountPrivateTmpfs } from "#sys/mounts/private-tmpfs.ts";
import { getXattr, listXattrs } from "#sys/xattr.ts";

/** A builder with real layers, mounts and containers; every image name stands for a busybox root. */
export class KernelBuilder implements AsyncDisposable {
  readonly directory: string;
  readonly snapshotter: OverlaySnapshotter;
  readonly layers: LayerFileStore;
  readonly cacheMounts: CacheMounts;
  readonly cacheMountRows: CacheMountStore;
  readonly #fixture: RuntimeTestBed;
  readonly #database: Database;
  readonly #created: ImageConfig[] = [];
  readonly #builder: DockerfileBuilder;
  /** What the steps of the last build printed. */
  logs = "";
  /** Names of the steps of the last build that came from the cache, and of all. */
  cached: string[] = [];
  names: string[] = [];
  #count = 0;

  static async create(): Promise<KernelBuilder> {
    const fixture = new RuntimeTestBed();
    const directory = mkdtempSync("/tmp/berth-build-");
    for (const name of ["snapshots", "mounts", "scratch", "caches"]) mkdirSync(join(directory, name));
    const database = new Database(join(directory, "db"));
    const layers = new LayerFileStore({ directory: join(directory, "layers"), database });
    await runCommand("tar", ["-cf", join(directory, "base.tar"), "-C", await fixture.rootfs(), "."]);
    const layer = await layers.ingest(createReadStream(join(directory, "base.tar")));
    const config: ImageConfig = {
      architecture: "amd64",
      os: "linux",
      config: { Env: ["PATH=/bin"] },
      rootfs: { type: "layers", diff_ids: [layer.diffId] },
      history: [{ created: "2024-01-01T00:00:00Z", created_by: "base" }],
    };
    return new KernelBuilder(directory, fixture, database, layers, { id: digestOf("base"), config, layers: [layer] });
  }

  private constructor(
    directory: string,
    fixture: RuntimeTestBed,
    database: Database,
    layers: LayerFileStore,
    base: BaseImage,
  ) {
    this.directory = directory;
    this.#fixture = fixture;
    this.#database = database;
    this.layers = layers;
    this.snapshotter = new OverlaySnapshotter({
      stateDirectory: join(directory, "snapshots"),
      mountDirectory: join(directory, "mounts"),
    });
    this.cacheMountRows = new CacheMountStore(database);
    this.cacheMounts = new CacheMounts({
      directory: join(directory, "caches"),
      store: this.cacheMountRows,
      measure: async (path) => (await diskUsage(path)).allocatedBytes,
      copyTree: async (from, to) => void (await runCommand("cp", ["-a", "--", `${from}/.`, to])),
    });
    this.#builder = this.#makeBuilder(base);
  }

  /** Builds and gives the config of the image. */
  async build(
    dockerfile: string,
    files: Record<string, string | Uint8Array> = {},
    more: Partial<BuildRequest> = {},
  ): Promise<ImageConfig> {
    this.logs = "";
    const vertices = new Map<string, { name: string; cached?: boolean }>();
    try {
      await this.#builder.build({
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
        platforms: ["linux/amd64"],
        onStatus: (status) => {
          for (const vertex of status.vertexes ?? []) vertices.set(vertex.digest, vertex);
          for (const { data } of status.logs ?? []) this.logs += Buffer.from(data, "base64").toString();
        },
        signal: new AbortController().signal,
        ...more,
      });
    } finally {
      this.names = [...vertices.values()].map(({ name }) => name);
      this.cached = [...vertices.values()].filter(({ cached }) => cached).map(({ name }) => name);
    }
    const image = this.#created.at(-1);
    if (!image) throw new SystemError("no image was made");
    return image;
  }

  /** Looks at the root of an image. */
  async inRoot<T>(image: ImageConfig, work: (path: string) => T): Promise<T> {
    const layers = image.rootfs.diff_ids.flatMap((diffId) => this.layers.layer(diffId) ?? []);
    await using view = await this.snapshotter.view(layers);
    return work(view.path);
  }

  /** The names in an image's topmost layer. */
  async topLayer(image: ImageConfig): Promise<string[]> {
    const { stdout } = await runCommand("tar", ["-t"], { input: await this.topTar(image) });
    return stdout.split("\n").filter((line) => line !== "");
  }

  /** The tar of an image's topmost layer. */
  async topTar(image: ImageConfig): Promise<Buffer> {
    const top = image.rootfs.diff_ids.at(-1);
    const layer = top && this.layers.layer(top);
    if (!layer) throw new SystemError("the image has no layer");
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.layers.readTar(layer)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** Throws when a mount stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.snapshotter.releaseIdle();
    await this.#fixture[Symbol.asyncDispose]();
    this.#database[Symbol.dispose]();
    const left = mountsBelow(this.directory);
    if (left.length > 0) throw new SystemError(`mounts stay: ${left.map(({ mountPoint }) => mountPoint).join(" ")}`);
    rmSync(this.directory, { recursive: true, force: true });
  }

  #makeBuilder(base: BaseImage): DockerfileBuilder {
    const { directory } = this;
    writeFileSync(join(directory, "hosts"), "127.0.0.1 localhost\n10.1.2.3 extra\n");
    writeFileSync(join(directory, "resolv.conf"), "nameserver 10.1.2.4\n");
    return new DockerfileBuilder({
      snapshotter: this.snapshotter,
      runtime: this.#fixture.runtime,
      layers: this.layers,
      devices: NO_DEVICES,
      cache: new BuildCacheStore(this.#database),
      readXattrs: (path) => new Map(listXattrs(path).map((name) => [name, getXattr(path, name) ?? new Uint8Array()])),
      inflate,
      hasEmulator: () => false,
      scratchDirectory: join(directory, "scratch"),
      openPrivateDirectory: async () => mountPrivateTmpfs(join(directory, "scratch", `t${this.#count++}`)),
      git: (args, { env, signal }) => runCommand("git", args, { env, signal, okCodes: "any", group: true }),
      cacheMounts: this.cacheMounts,
      sharedCaches: {
        reader: () => unavailable(),
        writer: () => unavailable(),
      },
      host: {
        resolveImage: async () => base,
        importImage: async () => base,
        createImages: async (configs) => {
          this.#created.push(...configs);
          const ids = configs.map((config) => digestOf(JSON.stringify(config)));
          return { ids, imageId: ids[0] ?? digestOf("") };
        },
        openNetwork: async () => ({
          network: { kind: "none" },
          hostsPath: join(directory, "hosts"),
          resolvConfPath: join(directory, "resolv.conf"),
          [Symbol.asyncDispose]: async () => undefined,
        }),
      },
    });
  }
}

/** A build context of files, 0644. */
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
  const read = (entry: ContextEntry): Buffer => bytes.get(entry.path) ?? Buffer.alloc(0);
  return {
    entries,
    read,
    stream: async function* (entry) {
      yield read(entry);
    },
    transferred: 0,
  };
}

function unavailable(): never {
  throw new NotImplementedError("there are no shared caches here");
}
