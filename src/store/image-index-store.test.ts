import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseReference } from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import { MEDIA_TYPE } from "#spec/oci-image.ts";
import { Database } from "./database.ts";
import { ImageIndexStore } from "./image-index-store.ts";
import { ImageStore } from "./image-store.ts";

const digest = (hex: string): Digest => `sha256:${hex.repeat(64)}`;
const INDEX = { digest: digest("1"), mediaType: MEDIA_TYPE.ociIndex, size: 741 };
/** Image and manifest of two platforms. */
const AMD = { id: digest("a"), manifest: digest("2"), architecture: "amd64" };
const ARM = { id: digest("b"), manifest: digest("3"), architecture: "arm64" };

let directory: string;
let database: Database;
let images: ImageStore;
let indexes: ImageIndexStore;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-indexes-"));
  database = new Database(join(directory, "berth.db"));
  images = new ImageStore(database);
  indexes = new ImageIndexStore(database);
});
afterEach(() => {
  database[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

function pull({ id, manifest, architecture }: typeof AMD, name = "app:v1"): void {
  const platform = { os: "linux", architecture };
  const mediaType = MEDIA_TYPE.ociManifest;
  images.add({ id, created: 1, platform, labels: null, manifest: { digest: manifest, mediaType } }, []);
  indexes.add(INDEX, [AMD.manifest, ARM.manifest]);
  images.setReference(parseReference(name), AMD.id, INDEX.digest);
}

const parts = (): string[] => indexes.parts(INDEX.digest).map(({ image }) => image.id);

describe("ImageIndexStore", () => {
  test("add() links what is here, in the index's order, and again when more is", () => {
    pull(AMD);
    expect(parts()).toEqual([AMD.id]);
    pull(ARM);
    expect(parts()).toEqual([AMD.id, ARM.id]);
    expect(indexes.of("app:v1")).toEqual(INDEX);
    expect([indexes.of("other"), indexes.of(AMD.id), indexes.of("aaaa")]).toEqual([undefined, undefined, undefined]);
  });

  test("variants() are the images that only an index's name reaches", () => {
    pull(AMD);
    pull(ARM);
    expect([...indexes.variants()]).toEqual([ARM.id]);
    expect(indexes.names(ARM.id).references).toEqual(["docker.io/library/app:v1"]);
    expect([...indexes.byImage()]).toEqual([[AMD.id, INDEX]]);
    images.setReference(parseReference("own:v1"), ARM.id);
    expect(indexes.variants().size).toBe(0);
  });

  test("moveNames() passes an index's names on, and no others", () => {
    pull(AMD);
    pull(ARM);
    images.setReference(parseReference("own:v1"), AMD.id);
    images.addDigest("docker.io/library/app", INDEX.digest, AMD.id);
    indexes.moveNames(INDEX.digest, AMD.id, ARM.id);
    expect(images.names(AMD.id).references).toEqual(["docker.io/library/own:v1"]);
    expect(images.names(ARM.id)).toEqual({
      references: ["docker.io/library/app:v1"],
      digests: [`docker.io/library/app@${INDEX.digest}`],
    });
    expect(indexes.of(`app@${INDEX.digest}`)).toEqual(INDEX);
  });

  test("removeUnnamed() forgets indexes without a name, and needed blobs follow", () => {
    pull(AMD);
    expect(indexes.removeUnnamed()).toEqual([]);
    expect(images.neededBlobs()).toEqual(new Set([AMD.id, AMD.manifest, INDEX.digest]));
    images.removeReference("docker.io/library/app:v1");
    expect(indexes.removeUnnamed()).toEqual([INDEX.digest]);
    expect([indexes.list(), parts(), indexes.holding(AMD.id)]).toEqual([[], [], []]);
    expect(images.neededBlobs()).toEqual(new Set([AMD.id, AMD.manifest]));
  });

  test("an image that is hidden or removed is no part any more", () => {
    pull(AMD);
    pull(ARM);
    images.hide(ARM.id);
    expect(parts()).toEqual([AMD.id]);
    images.remove(AMD.id);
    expect(parts()).toEqual([]);
  });
});
