import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { chainId, digestHex } from "#formats/digest.ts";
import { inflate } from "#sys/compression/inflate.ts";
import { removeHiddenImages } from "./collect.ts";
import { measureImages } from "./disk-usage.ts";
import { imageHistory } from "./history.ts";
import { imageLockKey } from "./image-context.ts";
import { type ImageTestBed, makeImage, openImageTestBed } from "./image-test-bed.ts";
import { inspectImage } from "./inspect.ts";
import { listImages } from "./list.ts";
import { LocalImages } from "./lookup.ts";
import { pruneImages } from "./prune.ts";
import { removeImage } from "./remove.ts";
import { tagImage } from "./tag.ts";

let bed: ImageTestBed;
beforeEach(async () => {
  bed = await openImageTestBed({ inflate });
});
afterEach(() => bed[Symbol.asyncDispose]());

async function layerFiles(): Promise<string[]> {
  await bed.context.layers.settled();
  return readdir(join(bed.directory, "layers"));
}
const remove = (name: string, force = false): ReturnType<typeof removeImage> =>
  removeImage(bed.context, name, { force });
const CONTAINER = "c".repeat(64);

describe("removeImage()", () => {
  test("untags and deletes, and unlinks the layers that nobody else has", async () => {
    const shared = { "base.txt": "base" };
    const id = await makeImage(bed, "app:v1", [shared, { "app.txt": "app" }]);
    await makeImage(bed, "other:v1", [shared, { "other.txt": "other" }]);
    const diffIds = new LocalImages(bed.context).layers(id).map((layer) => layer.diffId);
    expect(await remove("app:v1")).toEqual([{ Untagged: "app:v1" }, { Deleted: id }, { Deleted: chainId(diffIds)! }]);
    expect(await layerFiles()).toHaveLength(2);
    expect(await bed.context.blobs.list()).toHaveLength(1);
    await remove("other:v1");
    expect(await layerFiles()).toEqual([]);
    expect(await bed.context.blobs.list()).toEqual([]);
  });

  test("a name among several is only untagged; an id then needs force", async () => {
    const id = await makeImage(bed, "app:v1", [{ a: "1" }]);
    tagImage(bed.context, "app:v1", "other:v2");
    await expect(remove(digestHex(id).slice(0, 6))).rejects.toThrow(
      `conflict: unable to delete ${digestHex(id).slice(0, 12)} (must be forced) - image is referenced in multiple repositories`,
    );
    expect(await remove("app:v1")).toEqual([{ Untagged: "app:v1" }]);
    tagImage(bed.context, "other:v2", "third:v3");
    const items = await remove(id, true);
    expect(items.slice(0, 3)).toEqual([{ Untagged: "other:v2" }, { Untagged: "third:v3" }, { Deleted: id }]);
    await expect(remove("app:v1")).rejects.toThrow("No such image: app:v1");
  });

  test("takes the digests of a repository with its last tag", async () => {
    const id = await makeImage(bed, "app:v1", [{ a: "1" }]);
    bed.context.images.addDigest("docker.io/library/app", id, id);
    expect((await remove("app:v1")).slice(0, 2)).toEqual([{ Untagged: "app:v1" }, { Untagged: `app@${id}` }]);
  });

  test("refuses what a container needs, in Docker's words", async () => {
    const id = await makeImage(bed, "app:v1", [{ a: "1" }]);
    const short = digestHex(id).slice(0, 12);
    bed.users.set(id, [{ id: CONTAINER, running: true }]);
    await expect(remove("app:v1")).rejects.toThrow(
      `conflict: unable to remove repository reference "app:v1" (must force) - container cccccccccccc is using its referenced image ${short}`,
    );
    await expect(remove(id, true)).rejects.toThrow(
      `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container cccccccccccc`,
    );
    expect(await remove("app:v1", true)).toEqual([{ Untagged: "app:v1" }]);
    expect(listImages(bed.context).map(({ Id, RepoTags }) => [Id, RepoTags])).toEqual([[id, []]]);
  });

  test("by force, keeps what a stopped container needs until it is gone", async () => {
    const id = await makeImage(bed, "app:v1", [{ a: "1" }]);
    bed.users.set(id, [{ id: CONTAINER, running: false }]);
    await expect(remove(id)).rejects.toThrow(
      "(must be forced) - image is being used by stopped container cccccccccccc",
    );
    expect(await remove("app:v1", true)).toEqual([{ Untagged: "app:v1" }, { Deleted: id }]);
    expect(listImages(bed.context)).toEqual([]);
    expect(() => inspectImage(bed.context, id)).toThrow("No such image");
    expect(new LocalImages(bed.context).layers(id)).toHaveLength(1);
    await removeHiddenImages(bed.context);
    expect(await layerFiles()).toHaveLength(1);
    bed.users.clear();
    await removeHiddenImages(bed.context);
    expect(await layerFiles()).toEqual([]);
  });

  test("what was kept for a container is not taken from who makes the same image again just then", async () => {
    const id = await makeImage(bed, "app:v1", [{ a: "1" }]);
    bed.users.set(id, [{ id: CONTAINER, running: false }]);
    await remove("app:v1", true);
    bed.users.clear();
    // Somebody has found its config here, and writes the row next.
    const making = await bed.context.locks.acquire(imageLockKey(id));
    const removing = removeHiddenImages(bed.context);
    await Bun.sleep(10);
    const { hidden: _, ...record } = bed.context.images.find(id)!;
    bed.context.images.add(
      record,
      bed.context.images.layers(id).map(({ diffId }) => diffId),
    );
    making[Symbol.dispose]();
    expect(await removing).toEqual({ freedBytes: 0 });
    expect(inspectImage(bed.context, id).Id).toBe(id);
    expect(await layerFiles()).toHaveLength(1);
  });

  test("takes no long time for an image of 20 layers", async () => {
    const stack = Array.from({ length: 20 }, (_, index) => ({ [`f${index}`]: randomBytes(100) }));
    await makeImage(bed, "deep:v1", stack);
    const start = performance.now();
    await remove("deep:v1");
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe("pruneImages()", () => {
  test("removes dangling images, or all that no container uses", async () => {
    const first = await makeImage(bed, "app:v1", [{ a: "1" }]);
    await makeImage(bed, "app:v1", [{ a: "2" }]);
    const used = await makeImage(bed, "used:v1", [{ a: "3" }]);
    bed.users.set(used, [{ id: CONTAINER, running: false }]);
    const dangling = await pruneImages(bed.context, new Map());
    expect(dangling.deleted).toContainEqual({ Deleted: first });
    expect(dangling.reclaimed).toBeGreaterThan(0);
    await pruneImages(bed.context, new Map([["dangling", ["false"]]]));
    expect(listImages(bed.context).map(({ RepoTags }) => RepoTags)).toEqual([["used:v1"]]);
    await expect(pruneImages(bed.context, new Map([["x", ["y"]]]))).rejects.toThrow("invalid filter 'x'");
  });
});

describe("listImages()", () => {
  test("filters by pattern, label and age, and shows shared sizes", async () => {
    const shared = { base: "12345" };
    await makeImage(bed, "web-ping:v1", [shared, { a: "1" }], { config: { Labels: { team: "a" } } });
    await makeImage(bed, "web-pong:v1", [shared, { a: "22" }], { created: "2023-01-01T00:00:00Z" });
    await makeImage(bed, "diamol/web:v1", [{ z: "333" }]);
    const names = (filters: Map<string, string[]>): string[] =>
      listImages(bed.context, { filters }).flatMap((i) => i.RepoTags);
    expect(names(new Map([["reference", ["w*"]]]))).toEqual(["web-ping:v1", "web-pong:v1"]);
    expect(names(new Map([["reference", ["diamol/*:v1"]]]))).toEqual(["diamol/web:v1"]);
    expect(names(new Map([["label", ["team=a"]]]))).toEqual(["web-ping:v1"]);
    expect(names(new Map([["label!", ["team"]]])).sort()).toEqual(["diamol/web:v1", "web-pong:v1"]);
    expect(names(new Map([["before", ["web-ping:v1"]]]))).toEqual(["web-pong:v1"]);
    expect(names(new Map([["since", ["web-pong:v1"]]])).sort()).toEqual(["diamol/web:v1", "web-ping:v1"]);
    expect(names(new Map([["until", ["2023-06-01"]]]))).toEqual(["web-pong:v1"]);
    expect(names(new Map([["until", ["2023-06-01", "2022-06-01"]]]))).toEqual([]);
    const [ping] = listImages(bed.context, { sharedSize: true, filters: new Map([["reference", ["web-ping"]]]) });
    expect(ping).toMatchObject({ Size: 6, SharedSize: 5, Containers: -1, Labels: { team: "a" } });
  });

  test("lists 1,000 images in no long time", async () => {
    const id = await makeImage(bed, "app:v0", [{ a: "1" }]);
    const record = bed.context.images.find(id)!;
    const layers = bed.context.images.layers(id).map((layer) => layer.diffId);
    bed.context.database.transaction(() => {
      for (let index = 1; index < 1000; index++) {
        const other = `sha256:${String(index).padStart(64, "0")}` as const;
        bed.context.images.add({ ...record, id: other }, layers);
        bed.context.images.setReference({ domain: "docker.io", path: "library/app", tag: `v${index}` }, other);
      }
    });
    listImages(bed.context);
    const start = performance.now();
    expect(listImages(bed.context)).toHaveLength(1000);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe("imageHistory(), measureImages()", () => {
  test("history shows every step with its size, newest first", async () => {
    const history = [
      { created: "2024-01-01T00:00:00Z", created_by: "ADD rootfs" },
      { created: "2024-01-02T00:00:00Z", created_by: "ENV A=b", empty_layer: true, comment: "buildkit" },
      { created: "2024-01-03T00:00:00Z", created_by: "COPY app" },
    ];
    const id = await makeImage(bed, "app:v1", [{ root: "12345" }, { app: "12" }], { history });
    expect(imageHistory(bed.context, "app:v1")).toEqual([
      { Id: id, Created: 1704240000, CreatedBy: "COPY app", Tags: ["app:v1"], Size: 2, Comment: "" },
      { Id: "<missing>", Created: 1704153600, CreatedBy: "ENV A=b", Tags: null, Size: 0, Comment: "buildkit" },
      { Id: "<missing>", Created: 1704067200, CreatedBy: "ADD rootfs", Tags: null, Size: 5, Comment: "" },
    ]);
  });

  test("unique and shared bytes of all images add up to the layers' size", async () => {
    const shared = { base: randomBytes(10_000) };
    await makeImage(bed, "a:v1", [shared, { a: randomBytes(3000) }]);
    await makeImage(bed, "b:v1", [shared, { b: randomBytes(5000) }]);
    const { images, layersSize, otherLayersSize } = measureImages(bed.context);
    const unique = images.reduce((sum, image) => sum + image.Size - image.SharedSize, 0);
    expect(unique + images[0]!.SharedSize).toBe(layersSize);
    expect(otherLayersSize).toBe(0);
  });
});
