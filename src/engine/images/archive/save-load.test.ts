import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { checkImages } from "#engine/images/check.ts";
import {
  chunksOf,
  collect,
  type ImageTestBed,
  makeImage,
  openImageTestBed,
  tarOf,
} from "#engine/images/image-test-bed.ts";
import { inspectImage } from "#engine/images/inspect.ts";
import { LocalImages } from "#engine/images/lookup.ts";
import { tagImage } from "#engine/images/tag.ts";
import { digestHex, digestOf } from "#formats/digest.ts";
import type { CheckLine } from "#spec/berth-api.ts";
import { MEDIA_TYPE } from "#spec/oci-image.ts";
import { runCommand } from "#sys/command.ts";
import { inflate } from "#sys/compression/inflate.ts";
import { loadImages } from "./load.ts";
import { saveImages } from "./save.ts";

let source: ImageTestBed;
let target: ImageTestBed;
beforeEach(async () => {
  source = await openImageTestBed({ inflate });
  target = await openImageTestBed({ inflate });
});
afterEach(async () => {
  await source[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

const save = async (...names: string[]): Promise<Buffer> => collect(await saveImages(source.context, names));
const load = (archive: Uint8Array): Promise<void> =>
  loadImages(target.context, chunksOf(archive), { onProgress: target.onProgress });
const streamed = (): string => target.messages.map((message) => message.stream ?? "").join("");

describe("saveImages() and loadImages()", () => {
  test("carry images over, plain, gzip and zstd, with layers once", async () => {
    const shared = { "base.bin": randomBytes(200_000) };
    const id = await makeImage(source, "app:v1", [shared, { a: "1" }]);
    await makeImage(source, "app:v2", [shared, { a: "2" }]);
    const archive = await save("app");
    expect(archive.length).toBeLessThan(300_000);
    await load(archive);
    expect(streamed()).toBe("Loaded image: app:v1\nLoaded image: app:v2\n");
    expect(inspectImage(target.context, "app:v1")).toMatchObject({ Id: id, RepoTags: ["app:v1"] });
    await load(gzipSync(archive));
    await load(Bun.zstdCompressSync(archive));
    target.messages.length = 0;
    await load(await save(id));
    expect(streamed()).toBe(`Loaded image ID: ${id}\n`);
  });

  test("write what skopeo reads in both layouts, and read what skopeo writes", async () => {
    await makeImage(source, "app:v1", [{ a: "1" }, { b: "2" }]);
    const file = join(source.directory, "app.tar");
    await writeFile(file, await save("app:v1"));
    const env = { HOME: source.directory, XDG_RUNTIME_DIR: source.directory };
    const skopeo = (...args: string[]): Promise<unknown> =>
      runCommand("skopeo", ["copy", "--insecure-policy", ...args], { env });
    await skopeo(`docker-archive:${file}`, `oci-archive:${join(source.directory, "oci.tar")}:docker.io/library/oci:v1`);
    await skopeo(
      `oci-archive:${file}`,
      `docker-archive:${join(source.directory, "docker.tar")}:docker.io/library/docker:v1`,
    );
    await load(await readFile(join(source.directory, "oci.tar")));
    await load(await readFile(join(source.directory, "docker.tar")));
    expect(streamed()).toBe("Loaded image: oci:v1\nLoaded image: docker:v1\n");
    const { RootFS } = inspectImage(source.context, "app:v1");
    expect(inspectImage(target.context, "oci:v1").RootFS).toEqual(RootFS);
    expect(inspectImage(target.context, "docker:v1").RootFS).toEqual(RootFS);
  });

  test("keep the annotations of an image, which manifest.json does not tell", async () => {
    const layer = tarOf({ a: "1" });
    const config = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [digestOf(layer)] } };
    const configBytes = Buffer.from(JSON.stringify(config));
    const described = (mediaType: string, bytes: Uint8Array) => ({
      mediaType,
      digest: digestOf(bytes),
      size: bytes.length,
    });
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      config: described(MEDIA_TYPE.ociConfig, configBytes),
      layers: [described(MEDIA_TYPE.ociLayer, layer)],
      annotations: { "org.example.note": "kept" },
    };
    const manifestBytes = Buffer.from(JSON.stringify(manifest));
    const pathOf = (bytes: Uint8Array): string => `blobs/sha256/${digestHex(digestOf(bytes))}`;
    const archive = tarOf({
      ...Object.fromEntries([layer, configBytes, manifestBytes].map((bytes) => [pathOf(bytes), bytes])),
      "index.json": JSON.stringify({
        schemaVersion: 2,
        manifests: [described(MEDIA_TYPE.ociManifest, manifestBytes)],
      }),
      "manifest.json": JSON.stringify([
        { Config: pathOf(configBytes), RepoTags: ["noted:v1"], Layers: [pathOf(layer)] },
      ]),
    });
    await load(archive);
    const again = await collect(await saveImages(target.context, ["noted:v1"]));
    expect(again.includes('"annotations":{"org.example.note":"kept"}')).toBe(true);
  });

  test("may leave out layers that the store has, as buildpacks do, and no others", async () => {
    const below = tarOf({ below: "1" });
    const above = tarOf({ above: "2" });
    const packed = (layers: Readonly<Record<string, string | Uint8Array>>): ReturnType<typeof tarOf> =>
      tarOf({
        "c.json": JSON.stringify({
          architecture: "amd64",
          os: "linux",
          rootfs: { type: "layers", diff_ids: [digestOf(below), digestOf(above)] },
        }),
        ...layers,
        "manifest.json": JSON.stringify([
          { Config: "c.json", RepoTags: ["packed:v1"], Layers: ["blank_0", "/above.tar"] },
        ]),
      });
    const blank = packed({ blank_0: "", "/above.tar": above });
    await expect(load(blank)).rejects.toThrow('layer "blank_0" is missing');
    await load(packed({ blank_0: below, "/above.tar": above }));
    await load(blank);
    expect(inspectImage(target.context, "packed:v1").RootFS.Layers).toEqual([digestOf(below), digestOf(above)]);
  });

  test("say which image loses its name", async () => {
    const before = await makeImage(target, "app:v1", [{ a: "old" }]);
    await makeImage(source, "app:v1", [{ a: "new" }]);
    await load(await save("app:v1"));
    expect(streamed()).toStartWith(
      `The image app:v1 already exists, renaming the old one with ID ${before} to empty string\n`,
    );
  });

  test("a hostile or damaged archive is refused and makes no image", async () => {
    const layer = tarOf({ x: "y" });
    const config = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [digestOf(layer)] } };
    const manifest = (layers: string[]): string =>
      JSON.stringify([{ Config: "c.json", RepoTags: ["x:y"], Layers: layers }]);
    const base = { "c.json": JSON.stringify(config), "../evil": "x", "l.tar": layer };
    await expect(load(tarOf({ a: "b" }))).rejects.toThrow("invalid archive: does not contain a manifest.json");
    await expect(load(tarOf({ ...base, "manifest.json": manifest(["../evil"]) }))).rejects.toThrow("is missing");
    await expect(load(tarOf({ ...base, "manifest.json": manifest([]) }))).rejects.toThrow(
      "are not those that its config names",
    );
    const wrong = { ...base, [`blobs/sha256/${"0".repeat(64)}`]: layer };
    const named = manifest([`blobs/sha256/${"0".repeat(64)}`]);
    await expect(load(tarOf({ ...wrong, "manifest.json": named }))).rejects.toThrow("has content with digest");
    expect(target.context.images.list()).toEqual([]);
    await load(tarOf({ "manifest.json": manifest(["l.tar"]), ...base }));
    expect(streamed()).toEndWith("Loaded image: x:y\n");
  });

  test("unknown names and lost layers are told before anything is written", async () => {
    await expect(saveImages(source.context, ["nope"])).rejects.toThrow("No such image: nope");
    const id = await makeImage(source, "lost:v1", [{ a: "1" }]);
    const [layer] = new LocalImages(source.context).layers(id);
    await rm(layer!.path);
    await expect(saveImages(source.context, ["lost:v1"])).rejects.toThrow(
      `layer ${layer!.diffId}: its file is missing`,
    );
  });
});

describe("checkImages()", () => {
  const check = async (): Promise<CheckLine[]> => {
    const lines: CheckLine[] = [];
    for await (const line of checkImages(source.context)) lines.push(line);
    return lines;
  };

  test("names what is damaged and who uses it", async () => {
    const id = await makeImage(source, "app:v1", [{ a: "1" }]);
    tagImage(source.context, "app:v1", "other:v1");
    expect(await check()).toEqual([{ done: expect.objectContaining({ images: 1, blobs: 1, layers: 1, problems: 0 }) }]);
    const [layer] = new LocalImages(source.context).layers(id);
    const bytes = await readFile(layer!.path);
    bytes[4096 + 600] = 0xff;
    await writeFile(layer!.path, bytes);
    await writeFile(join(source.directory, "blobs", "sha256", digestHex(id)), "{}");
    const lines = await check();
    expect(lines[0]).toMatchObject({ kind: "blob", name: id, problem: expect.stringContaining("(config of app:v1)") });
    expect(lines[1]).toMatchObject({
      kind: "layer",
      name: layer!.diffId,
      problem: expect.stringContaining("(used by app:v1)"),
    });
    expect(lines[2]?.done?.problems).toBe(2);
  });
});
