import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../tools/harness/child.ts";
import { type Layer, packLayer } from "./layer-tar.ts";
import { machineFiles } from "./machine-files.ts";
import { imageConfig, publishImage } from "./publish.ts";

const MEGABYTE = 1e6;
/** As the layers of a Debian image with a language in it: a base, its packages, a runtime, an application. */
const LARGE_IMAGE_LAYERS = [118, 178, 100, 51].map((megabytes) => megabytes * MEGABYTE);

/** Mount points too, as real images have them. */
const BASE_DIRECTORIES = ["bin", "dev", "etc", "proc", "root", "sys", "tmp"];

/** The images that the workloads use, in the bench's registry. Each is made when the first workload asks for it. */
export class BenchImages {
  readonly #registry: string;
  readonly #directory: string;
  #base: Promise<Layer> | undefined;
  #large: Promise<LargeImage> | undefined;

  constructor(registry: string, directory: string) {
    this.#registry = registry;
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  /** Busybox: a static program, its links, and root in /etc/passwd. Returns its reference. */
  async base(): Promise<string> {
    await this.#baseLayer();
    return this.#reference("base");
  }

  /** Four layers of real files, 471 MB where the machine has as many. */
  large(): Promise<LargeImage> {
    this.#large ??= this.#makeLarge();
    return this.#large;
  }

  /** The base and 99 layers of one small file each. */
  async hundredLayers(): Promise<string> {
    const root = this.#fresh("steps");
    const layers = [await this.#packBase(join(this.#directory, "hundred-base.tar"))];
    for (let step = 1; step < 100; step++) {
      writeFileSync(join(root, `step-${step}`), `This is step ${step}.\n`);
      layers.push(await packLayer(root, [`step-${step}`], join(this.#directory, `step-${step}.tar`)));
    }
    return this.#publish("hundred-layers", layers);
  }

  /** An archive for `load` with that many images of one layer, which differ by a label. Returns its path. */
  async archiveOf(count: number): Promise<string> {
    const { tar, diffId } = await this.#baseLayer();
    const root = this.#fresh("archive");
    copyFileSync(tar, join(root, "layer.tar"));
    const names = Array.from({ length: count }, (_, index) => `image-${index}`);
    for (const name of names) writeFileSync(join(root, `${name}.json`), imageConfig([diffId], { name }));
    const manifest = names.map((name) => ({
      Config: `${name}.json`,
      RepoTags: [`many/${name}:latest`],
      Layers: ["layer.tar"],
    }));
    writeFileSync(join(root, "manifest.json"), JSON.stringify(manifest));
    const archive = `${root}.tar`;
    await run("tar", ["--create", "--file", archive, "--directory", root, "."]);
    rmSync(root, { recursive: true });
    return archive;
  }

  async #makeLarge(): Promise<LargeImage> {
    const layers: Layer[] = [];
    for (const [index, paths] of machineFiles(LARGE_IMAGE_LAYERS).entries())
      layers.push(await packLayer("/", paths, join(this.#directory, `large-${index}.tar`)));
    const size = layers.reduce((sum, layer) => sum + layer.size, 0);
    const compressedSize = layers.reduce((sum, layer) => sum + layer.gzipSize, 0);
    const reference = await this.#publish("large", layers);
    for (const layer of layers) rmSync(layer.tar);
    return { reference, layers: layers.length, size, compressedSize };
  }

  /** A name in the registry for what a workload pushes there. */
  repository(name: string): string {
    return this.#reference(name);
  }

  #baseLayer(): Promise<Layer> {
    this.#base ??= this.#packBase(join(this.#directory, "base.tar")).then(async (layer) => {
      await this.#publish("base", [layer]);
      return layer;
    });
    return this.#base;
  }

  async #packBase(file: string): Promise<Layer> {
    const root = this.#fresh("base");
    for (const directory of BASE_DIRECTORIES) mkdirSync(join(root, directory));
    copyFileSync("/bin/busybox", join(root, "bin", "busybox"));
    const { stdout } = await run("/bin/busybox", ["--list"]);
    const commands = stdout.split("\n").filter((name) => name !== "" && name !== "busybox");
    for (const name of commands) symlinkSync("busybox", join(root, "bin", name));
    writeFileSync(join(root, "etc", "passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    writeFileSync(join(root, "etc", "group"), "root:x:0:\n");
    const links = commands.map((name) => `bin/${name}`);
    return packLayer(root, [...BASE_DIRECTORIES, "bin/busybox", ...links, "etc/passwd", "etc/group"], file);
  }

  async #publish(name: string, layers: readonly Layer[]): Promise<string> {
    await publishImage(this.#reference(name), layers, join(this.#directory, `${name}-layout`));
    return this.#reference(name);
  }

  #reference(name: string): string {
    return `${this.#registry}/bench/${name}`;
  }

  #fresh(name: string): string {
    const path = join(this.#directory, name);
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true });
    return path;
  }
}

export interface LargeImage {
  readonly reference: string;
  readonly layers: number;
  /** Bytes of the layers' tars. */
  readonly size: number;
  readonly compressedSize: number;
}
