import { isDeepStrictEqual } from "node:util";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { isDigest } from "#formats/digest.ts";
import {
  familiarString,
  formatReference,
  parseReference,
  type Reference,
  repositoryName,
  tagNameOnly,
} from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import type { Database } from "./database.ts";
import type { ImageLayer, ImageManifestRef, ImageNames, ImageRecord, ListedImage } from "./image-record.ts";

/**
 * Images and their names. Every change is one transaction, durable when the call returns. The files behind an image (config,
 * manifest, layers) must be durable before `add`; whoever removes an image removes them after `remove`.
 */
export class ImageStore {
  readonly #database: Database;
  /** Ids of hidden images, few; kept in memory so that removing a container need not look through all images. */
  readonly #hidden: Set<Digest>;
  /** When images were last tagged, ms since the epoch, as far as it is not written yet. */
  readonly #tagged = new Map<Digest, number>();

  constructor(database: Database) {
    this.#database = database;
    this.#hidden = new Set(
      this.#all("SELECT id FROM images WHERE json_extract(record, '$.hidden')").map((row) => row["id"] as Digest),
    );
  }

  /** Adds an image over layers that exist, or updates its record; a hidden one is visible again. */
  add(image: Omit<ImageRecord, "size" | "lastTagged" | "hidden">, layers: readonly Digest[]): ImageRecord {
    return this.#database.transaction(() => {
      const known = this.find(image.id);
      const size = known?.size ?? layers.reduce((sum, diffId) => sum + this.#contentSize(diffId), 0);
      const manifest = image.manifest ?? known?.manifest;
      const record: ImageRecord = {
        ...image,
        ...(manifest ? { manifest } : {}),
        size,
        lastTagged: known?.lastTagged ?? 0,
      };
      if (isDeepStrictEqual(record, known)) return record;
      this.#run(
        `INSERT INTO images (id, created, size, record) VALUES (?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET record = excluded.record`,
        [record.id, record.created, size, JSON.stringify(record)],
      );
      if (!known) {
        for (const [position, diffId] of layers.entries()) {
          this.#run("INSERT INTO image_layers VALUES (?, ?, ?)", [record.id, position, diffId]);
        }
      }
      this.#setHidden(record.id, false);
      return record;
    });
  }

  /** By full id, hidden ones included: for containers, which know ids. */
  find(id: Digest): ImageRecord | undefined {
    const row = this.#database.statement("SELECT record FROM images WHERE id = ?").get(id);
    return row ? this.#recordOf(row) : undefined;
  }

  /**
   * By id, name (`:latest` by default), name@digest or unique id prefix, in the order that Docker tries; the digest of an index that a name
   * points at means what the name means.
   * Throws NotFoundError (`No such image: x:latest`), InvalidParameterError when a prefix fits several.
   */
  resolve(nameOrId: string): ImageRecord {
    const found = this.tryResolve(nameOrId);
    if (found) return found;
    throw new NotFoundError(`No such image: ${shownName(nameOrId)}`);
  }

  /** As `resolve`, but undefined when there is none. */
  tryResolve(nameOrId: string): ImageRecord | undefined {
    const id = asId(nameOrId);
    if (id) return this.#visible(id) ?? this.#ofIndex(id);
    const reference = parseReference(nameOrId);
    const named = this.idOf(reference);
    return named ? this.#visible(named) : this.#byPrefix(nameOrId);
  }

  /** The image that a name stands for; a digest beats a tag, as in Docker. */
  idOf(reference: Reference): Digest | undefined {
    const row = reference.digest
      ? this.#database
          .statement("SELECT image_id FROM image_digests WHERE repository = ? AND digest = ?")
          .get(repositoryName(reference), reference.digest)
      : this.#database
          .statement("SELECT image_id FROM image_refs WHERE reference = ?")
          .get(formatReference(tagNameOnly(reference)));
    return row?.["image_id"] as Digest | undefined;
  }

  /** Points a tagged name at an image, and at the index that it is of. Returns the id that it stood for before. */
  setReference(reference: Reference, id: Digest, index?: Digest): Digest | undefined {
    const name = formatReference(tagNameOnly(reference));
    return this.#database.transaction(() => {
      const row = this.#database.statement("SELECT * FROM image_refs WHERE reference = ?").get(name);
      if (row?.["image_id"] === id && row["index_digest"] === (index ?? null)) {
        this.#writeTaggedSoon(id);
        return id;
      }
      if (index) this.#run("DELETE FROM nameless_indexes WHERE digest = ?", [index]);
      this.#run(
        `INSERT INTO image_refs (reference, image_id, index_digest) VALUES (?, ?, ?) ON CONFLICT (reference)
         DO UPDATE SET image_id = excluded.image_id, index_digest = excluded.index_digest`,
        [name, id, index ?? null],
      );
      this.#writeTagged(id, Date.now());
      return row?.["image_id"] as Digest | undefined;
    });
  }

  #writeTagged(id: Digest, time: number): void {
    this.#run("UPDATE images SET record = json_set(record, '$.lastTagged', ?) WHERE id = ?", [time, id]);
    this.#tagged.delete(id);
  }

  /** A name given again changes nothing else: that alone is not worth a commit. */
  #writeTaggedSoon(id: Digest): void {
    this.#tagged.set(id, Date.now());
    this.#database.soon(() => {
      for (const [image, time] of this.#tagged) this.#writeTagged(image, time);
    });
  }

  /** Drops a canonical tagged name (`docker.io/library/x:latest`). Returns whether it existed. */
  removeReference(name: string): boolean {
    return this.#run("DELETE FROM image_refs WHERE reference = ?", [name]) > 0;
  }

  /** Gives an image the manifest that a push made for it; undefined: it has none any more. */
  setManifest(id: Digest, manifest: ImageManifestRef | undefined): void {
    if (!manifest) {
      this.#run("UPDATE images SET record = json_remove(record, '$.manifest') WHERE id = ?", [id]);
      return;
    }
    this.#run("UPDATE images SET record = json_set(record, '$.manifest', json(?)) WHERE id = ?", [
      JSON.stringify(manifest),
      id,
    ]);
  }

  /** Records that a repository has the image under a manifest digest (RepoDigests). */
  addDigest(repository: string, digest: Digest, id: Digest): void {
    this.#run(
      `INSERT INTO image_digests VALUES (?, ?, ?)
       ON CONFLICT (repository, digest) DO UPDATE SET image_id = excluded.image_id`,
      [repository, digest, id],
    );
  }

  removeDigest(repository: string, digest: Digest): boolean {
    return this.#run("DELETE FROM image_digests WHERE repository = ? AND digest = ?", [repository, digest]) > 0;
  }

  names(id: Digest): ImageNames {
    return {
      references: this.#all("SELECT reference AS name FROM image_refs WHERE image_id = ? ORDER BY 1", id).map(nameOf),
      digests: this.#all(
        "SELECT repository || '@' || digest AS name FROM image_digests WHERE image_id = ? ORDER BY 1",
        id,
      ).map(nameOf),
    };
  }

  /** All visible images with their names, newest first: three queries however many images there are. Variants count (ImageIndexStore). */
  list(): ListedImage[] {
    const references = Map.groupBy(
      this.#all("SELECT image_id, reference AS name FROM image_refs ORDER BY reference"),
      imageOf,
    );
    const digests = Map.groupBy(
      this.#all("SELECT image_id, repository || '@' || digest AS name FROM image_digests ORDER BY 2"),
      imageOf,
    );
    return this.#all("SELECT id, record FROM images ORDER BY created DESC, id")
      .filter((row) => !this.#hidden.has(row["id"] as Digest))
      .map((row) => ({
        image: this.#recordOf(row),
        references: references.get(String(row["id"]))?.map(nameOf) ?? [],
        digests: digests.get(String(row["id"]))?.map(nameOf) ?? [],
      }));
  }

  /** The layers of an image, bottom first. */
  layers(id: Digest): ImageLayer[] {
    return this.#all(
      `SELECT l.diff_id, l.content_size, l.file_size FROM image_layers i JOIN layers l USING (diff_id)
       WHERE i.image_id = ? ORDER BY i.position`,
      id,
    ).map(layerOf);
  }

  /** The layers of all visible images, by image id. */
  allLayers(): Map<string, ImageLayer[]> {
    const rows = this.#all(
      `SELECT i.image_id, l.diff_id, l.content_size, l.file_size FROM image_layers i JOIN layers l USING (diff_id)
       ORDER BY i.image_id, i.position`,
    ).filter((row) => !this.#hidden.has(row["image_id"] as Digest));
    return new Map([...Map.groupBy(rows, imageOf)].map(([id, group]) => [id, group.map(layerOf)]));
  }

  /** Removes an image with its names and returns the layers that nothing in the database needs any more. */
  remove(id: Digest): Digest[] {
    return this.#database.transaction(() => {
      const layers = this.layers(id).map((layer) => layer.diffId);
      this.#run("DELETE FROM image_refs WHERE image_id = ?", [id]);
      this.#run("DELETE FROM images WHERE id = ?", [id]);
      this.#setHidden(id, false);
      this.#tagged.delete(id);
      return [...new Set(layers)].filter((diffId) => !this.#isLayerNeeded(diffId));
    });
  }

  /** Whether an image was committed from this one. */
  hasChildren(id: Digest): boolean {
    return this.#all("SELECT 1 FROM images WHERE json_extract(record, '$.parent') = ? LIMIT 1", id).length > 0;
  }

  /** Takes an image's names away and hides it, for as long as a stopped container needs it. */
  hide(id: Digest): void {
    this.#database.transaction(() => {
      this.#run("DELETE FROM image_refs WHERE image_id = ?", [id]);
      this.#run("DELETE FROM image_digests WHERE image_id = ?", [id]);
      this.#run("DELETE FROM index_parts WHERE image_id = ?", [id]);
      this.#run("UPDATE images SET record = json_set(record, '$.hidden', json('true')) WHERE id = ?", [id]);
      this.#setHidden(id, true);
    });
  }

  /** Within the transaction that writes it, which may fail. */
  #setHidden(id: Digest, isHidden: boolean): void {
    if (this.#hidden.has(id) === isHidden) return;
    const set = (hides: boolean): unknown => (hides ? this.#hidden.add(id) : this.#hidden.delete(id));
    set(isHidden);
    this.#database.ifRolledBack(() => set(!isHidden));
  }

  /** Ids of images that only containers still need. */
  hiddenIds(): Digest[] {
    return [...this.#hidden];
  }

  /** Layers that neither an image nor the build cache needs, made before a time (ms since the epoch). */
  unusedLayers(madeBefore: number): Digest[] {
    return this.#all(
      `SELECT diff_id FROM layers l WHERE created < ?
         AND NOT EXISTS (SELECT 1 FROM image_layers i WHERE i.diff_id = l.diff_id)
         AND NOT EXISTS (SELECT 1 FROM build_cache b WHERE b.diff_id = l.diff_id)`,
      madeBefore,
    ).map((row) => row["diff_id"] as Digest);
  }

  /** Digests of the blobs (configs, manifests and indexes) that images need. */
  neededBlobs(): Set<Digest> {
    const rows = this.#all(
      `SELECT id AS digest FROM images UNION SELECT json_extract(record, '$.manifest.digest') FROM images
       UNION SELECT digest FROM image_indexes UNION SELECT digest FROM index_documents`,
    );
    return new Set(rows.map((row) => row["digest"]).filter((digest) => digest !== null) as Digest[]);
  }

  /** Whether an image or a build cache entry needs the layer. */
  #isLayerNeeded(diffId: Digest): boolean {
    const row = this.#database
      .statement(
        `SELECT EXISTS (SELECT 1 FROM image_layers WHERE diff_id = :id)
             OR EXISTS (SELECT 1 FROM build_cache WHERE diff_id = :id) AS needed`,
      )
      .get({ id: diffId });
    return row?.["needed"] === 1;
  }

  #visible(id: Digest): ImageRecord | undefined {
    return this.#hidden.has(id) ? undefined : this.find(id);
  }

  #ofIndex(digest: Digest): ImageRecord | undefined {
    const row = this.#database
      .statement(
        `SELECT image_id FROM image_refs WHERE index_digest = ?1
         UNION ALL SELECT image_id FROM nameless_indexes WHERE digest = ?1 LIMIT 1`,
      )
      .get(digest);
    return row ? this.#visible(row["image_id"] as Digest) : undefined;
  }

  #byPrefix(text: string): ImageRecord | undefined {
    const hex = text.replace(/^sha256:/, "");
    if (!/^[0-9a-f]{1,64}$/.test(hex)) return undefined;
    // "g" sorts after every hex digit: a range on the primary key instead of a scan.
    const rows = this.#database
      .statement("SELECT id, record FROM images WHERE id >= ? AND id < ?")
      .all(`sha256:${hex}`, `sha256:${hex}g`)
      .filter((row) => !this.#hidden.has(row["id"] as Digest));
    if (rows.length > 1) throw new InvalidParameterError(`Multiple IDs found with provided prefix: ${text}`);
    return rows[0] ? this.#recordOf(rows[0]) : undefined;
  }

  #recordOf(row: Row): ImageRecord {
    const record: ImageRecord = JSON.parse(String(row["record"]));
    const tagged = this.#tagged.get(record.id);
    return tagged === undefined ? record : { ...record, lastTagged: tagged };
  }

  #contentSize(diffId: Digest): number {
    const row = this.#database.statement("SELECT content_size FROM layers WHERE diff_id = ?").get(diffId);
    if (!row) throw new NotFoundError(`layer ${diffId}: not found`);
    return Number(row["content_size"]);
  }

  #all(sql: string, ...values: (string | number)[]): Row[] {
    return this.#database.statement(sql).all(...values);
  }

  #run(sql: string, values: readonly (string | number | null)[]): number {
    return Number(this.#database.statement(sql).run(...values).changes);
  }
}

type Row = Record<string, unknown>;

const nameOf = (row: Row): string => String(row["name"]);
const imageOf = (row: Row): string => String(row["image_id"]);
const layerOf = (row: Row): ImageLayer => ({
  diffId: row["diff_id"] as Digest,
  contentSize: Number(row["content_size"]),
  fileSize: Number(row["file_size"]),
});

function asId(text: string): Digest | undefined {
  if (isDigest(text)) return text;
  return /^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : undefined;
}

function shownName(nameOrId: string): string {
  return asId(nameOrId) ? nameOrId : familiarString(tagNameOnly(parseReference(nameOrId)));
}
