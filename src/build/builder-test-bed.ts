import { mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NotFoundError, NotImplementedError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import type { SnapshotLayer } from "#snapshot/snapshotter.ts";
import type { BuildStep } from "#spec/build-record.ts";
import type { Digest } from "#spec/digest.ts";
import type { ImageConfig } from "#spec/oci-image.ts";
import type { SolveStatus } from "#spec/solve-status.ts";
import { BuildCacheStore } from "#store/build-cache.ts";
import { CacheMountStore } from "#store/cache-mount-store.ts";
import { Database } from "#store/database.ts";
import { LayerFileStore } from "#store/layer-file-store.ts";
import type { Layer } from "#store/layer-store.ts";
import { openedContext } from "./build-client.ts";
import type { BaseImage, BuildRequest } from "./builder.ts";
import { contextOf, known, type TestFile, tarOf, tarOfDirectory } from "./builder-test-files.ts";
import { DockerfileBuilder } from "./dockerfile-builder.ts";
import { NO_DEVICES } from "./graph/step-devices.ts";
import { CacheMounts } from "./ops/run/cache-mounts.ts";
import type { BuildMemory } from "./solve/build-memory.ts";
import { NO_OPTIONS } from "./written-build.ts";

/**
 * The whole builder over a real layer store and database. Roots are plain directories and commands are functions here: what is looked
 * at is which steps run. test/build/on-kernel.test.ts has the real mounts and containers.
 */
export class BuilderTestBed {
  readonly directory: string = mkdtempSync("/tmp/berth-builder-");
  readonly database: Database = new Database(join(this.directory, "db"));
  readonly layers: LayerFileStore = new LayerFileStore({
    directory: join(this.directory, "layers"),
    database: this.database,
  });
  cache: BuildCacheStore = new BuildCacheStore(this.database);
  readonly images: Map<string, BaseImage> = new Map();
  /** Images whose pull goes on until it is aborted. */
  readonly endless: Set<string> = new Set();
  readonly created: ImageConfig[] = [];
  readonly ran: string[] = [];
  readonly logs: string[] = [];
  names: string[] = [];
  cached: string[] = [];
  errors: Record<string, string> = {};
  views = 0;
  /** What builds remember of one another here; `reasons` are those of the last build. */
  readonly memory: TestMemory = new TestMemory();
  reasons: Record<string, readonly string[]> = {};
  #count = 0;
  builder: DockerfileBuilder;
  readonly #unpackTar: Untar;

  constructor(unpackTar: Untar) {
    this.#unpackTar = unpackTar;
    this.builder = this.#builder();
  }

  restart(): void {
    this.cache = new BuildCacheStore(this.database);
    this.builder = this.#builder();
  }

  async addImage(
    name: string,
    files: Record<string, string | TestFile>,
    config: ImageConfig["config"] = {},
  ): Promise<void> {
    const layer = await this.layers.ingest(tarOf(contextOf(files)));
    const history = [{ created: "2024-01-01T00:00:00.000Z", created_by: "base" }];
    const full: ImageConfig = {
      architecture: "amd64",
      os: "linux",
      config,
      rootfs: { type: "layers", diff_ids: [layer.diffId] },
      history,
    };
    this.images.set(name, { id: digestOf(JSON.stringify(full)), config: full, layers: [layer] });
  }

  async build(
    dockerfile: string,
    context: Record<string, string | TestFile> = {},
    more: Partial<BuildRequest> = {},
  ): Promise<ImageConfig> {
    const vertices = new Map<string, { name: string; cached?: boolean; error?: string }>();
    this.ran.length = 0;
    this.views = 0;
    this.logs.length = 0;
    try {
      await this.builder.build({
        input: { kind: "files", dockerfile: Buffer.from(dockerfile), context: openedContext(contextOf(context)) },
        dockerfileName: "Dockerfile",
        tags: ["docker.io/library/x:latest"],
        ...NO_OPTIONS,
        platforms: ["linux/amd64"],
        onStatus: (status: SolveStatus) => {
          for (const vertex of status.vertexes ?? []) vertices.set(vertex.digest, vertex);
          for (const log of status.logs ?? []) this.logs.push(Buffer.from(log.data, "base64").toString());
        },
        signal: new AbortController().signal,
        memory: this.memory,
        ...more,
      });
    } finally {
      const all = [...vertices.values()];
      this.reasons = this.memory.endBuild();
      this.names = all.map(({ name }) => name);
      this.cached = all.filter(({ cached }) => cached).map(({ name }) => name);
      this.errors = Object.fromEntries(all.flatMap(({ name, error }) => (error ? [[name, error]] : [])));
    }
    return known(this.created.at(-1));
  }

  /** What a second build must do anew. */
  dispose(): void {
    this.database[Symbol.dispose]();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #builder(): DockerfileBuilder {
    const roots = new Map<string, { lower: string; upper: string }>();
    const unpack = async (layers: readonly SnapshotLayer[]): Promise<string> => {
      const root = join(this.directory, `root-${this.#count++}`);
      mkdirSync(root);
      for (const layer of layers) {
        const tar = join(root, ".tar");
        const chunks: Uint8Array[] = [];
        for await (const chunk of this.layers.readTar(layer as Layer)) chunks.push(chunk);
        writeFileSync(tar, Buffer.concat(chunks));
        await this.#unpackTar(tar, root);
        unlinkSync(tar);
      }
      return root;
    };
    return new DockerfileBuilder({
      cache: this.cache,
      devices: NO_DEVICES,
      layers: this.layers,
      scratchDirectory: this.directory,
      readXattrs: () => new Map(),
      inflate: (source) => source,
      hasEmulator: () => false,
      openPrivateDirectory: () => Promise.reject(new NotFoundError("no private directory here")),
      git: async () => ({ exitCode: 1, stdout: "", stderr: "no git here" }),
      cacheMounts: new CacheMounts({
        directory: join(this.directory, "caches"),
        store: new CacheMountStore(this.database),
        measure: async () => 0,
        copyTree: async () => undefined,
      }),
      snapshotter: {
        name: "fake",
        description: "",
        prepare: async (key, layers) => {
          const upper = join(this.directory, `upper-${this.#count++}`);
          mkdirSync(upper);
          roots.set(key, { lower: await unpack(layers), upper });
        },
        mount: async (key) => known(roots.get(key)).upper,
        hold: async (key) => ({ path: known(roots.get(key)).upper, [Symbol.asyncDispose]: async () => undefined }),
        view: async (layers) => {
          this.views++;
          const path = await unpack(layers);
          return { path, [Symbol.asyncDispose]: async () => rmSync(path, { recursive: true, force: true }) };
        },
        unmount: async () => undefined,
        diff: (key) => tarOfDirectory(known(roots.get(key)).upper),
        changes: async () => [],
        usage: async () => ({ size: 0, diskSize: 0, inodes: 0 }),
        places: async (key) => ({ lowers: [], upper: known(roots.get(key)).upper, work: "", root: "" }),
        remove: async (key) => void roots.delete(key),
        keys: async () => [...roots.keys()],
        releaseIdle: async () => undefined,
      },
      runtime: {
        runOnce: async (spec, output, signal) => {
          const line = spec.args.at(-1) ?? "";
          this.ran.push(line);
          output.stdout(Buffer.from(`out of ${line}\n`));
          if (line.startsWith("exit")) return Number(line.slice(5));
          if (line === "wait") {
            await aborted(signal).catch(() => undefined);
            return 137;
          }
          if (line === "slow") await new Promise((resolve) => setTimeout(resolve, 100));
          // Contents without the comment: two commands that differ in it make the same file at different times.
          writeFileSync(join(spec.rootfs, "made"), line.replace(/ #.*/, ""));
          return 0;
        },
      },
      sharedCaches: {
        reader: () => unavailable(),
        writer: () => unavailable(),
      },
      host: {
        resolveImage: async (reference, { signal }) => {
          if (this.endless.has(reference)) await aborted(signal);
          const image = this.images.get(reference);
          if (!image) throw new NotFoundError(`${reference}: not found`);
          return image;
        },
        importImage: () => Promise.reject(new NotFoundError("no layouts here")),
        createImages: async (configs) => {
          this.created.push(...configs);
          const ids = configs.map((config) => digestOf(JSON.stringify(config)));
          return { ids, imageId: known(ids[0]) };
        },
        openNetwork: async () => ({
          network: { kind: "none" },
          hostsPath: "/etc/hosts",
          resolvConfPath: "/etc/resolv.conf",
          [Symbol.asyncDispose]: async () => undefined,
        }),
      },
    });
  }
}

/** Waits for the abort and throws its reason. On a busy machine it may have come already. */
export async function aborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  throw signal.reason;
}

/** Unpacks a tar into a directory: tests have it from `sys`. */
type Untar = (tar: string, directory: string) => Promise<unknown>;

class TestMemory implements BuildMemory {
  readonly #builds: BuildStep[][] = [];
  readonly #manifests = new Map<string, string>();
  #current: BuildStep[] = [];

  former(): readonly (readonly BuildStep[])[] {
    return this.#builds;
  }

  manifest(content: Digest): string | undefined {
    return this.#manifests.get(content);
  }

  keepManifest(content: Digest, manifest: string): void {
    this.#manifests.set(content, manifest);
  }

  report(step: BuildStep): void {
    this.#current.push(step);
  }

  /** The reasons by step of the build that has just ended. */
  endBuild(): Record<string, readonly string[]> {
    const steps = this.#current;
    this.#builds.unshift(steps);
    this.#current = [];
    return Object.fromEntries(steps.flatMap(({ name, reasons }) => (reasons.length > 0 ? [[name, reasons]] : [])));
  }
}

function unavailable(): never {
  throw new NotImplementedError("there are no shared caches here");
}
