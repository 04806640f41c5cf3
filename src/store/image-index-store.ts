import { isDigest } from "#formats/digest.ts";
import { formatReference, parseReference, type Reference, repositoryName, tagNameOnly } from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import type { Database } from "./database.ts";
import type { ImageNames, ImageRecord } from "./image-record.ts";

/** An image index (a manifest list) that a name here points at; its document is a blob. */
export interface IndexRecord {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the document. */
  readonly size: number;
}

/** One of an index's images that is here. */
export interface IndexPart {
  /** Digest of its manifest, by which the index names it. */
  readonly manifest: Digest;
  readonly image: ImageRecord;
}

/**
 * Images of several platforms under one name. A name points at one image, and at the index that the image came from; the index's
 * other images that are here are its parts, and are reached through the name and a platform. A part that has no name of its own is a
 * variant: lists show it below the image that the name points at. An index stays while a name points at it; one that a build without names made, while the image
 * is there that its digest means.
 */
export class ImageIndexStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Notes an index whose document is a blob, and which of its manifests are images that are here: whatever was pulled of it, under
   * any name. Call it with `manifests` in the order of the index.
   */
  add(index: IndexRecord, manifests: readonly Digest[]): void {
    this.#run("INSERT OR IGNORE INTO image_indexes VALUES (?, ?, ?)", [index.digest, index.mediaType, index.size]);
    for (const [position, manifest] of manifests.entries()) {
      this.#run(
        `INSERT OR IGNORE INTO index_parts SELECT ?, ?, ?, id FROM images
         WHERE json_extract(record, '$.manifest.digest') = ? AND json_extract(record, '$.hidden') IS NULL`,
        [index.digest, position, manifest, manifest],
      );
    }
  }

  /** Keeps an index that no name points at: its digest means `image`, one of its parts. */
  keepNameless(index: Digest, image: Digest): void {
    if (this.#all(`SELECT 1 FROM image_indexes p WHERE digest = ? AND ${isNamed("p.digest")}`, index).length > 0)
      return;
    this.#run("INSERT INTO nameless_indexes VALUES (?, ?)", [index, image]);
  }

  /** Notes blobs that an index needs besides its images' own. */
  addDocuments(index: Digest, documents: readonly Digest[]): void {
    for (const digest of documents) this.#run("INSERT OR IGNORE INTO index_documents VALUES (?, ?)", [index, digest]);
  }

  /** All indexes. */
  list(): IndexRecord[] {
    return this.#all("SELECT * FROM image_indexes ORDER BY digest").map(indexOf);
  }

  find(digest: Digest): IndexRecord | undefined {
    const row = this.#database.statement("SELECT * FROM image_indexes WHERE digest = ?").get(digest);
    return row ? indexOf(row) : undefined;
  }

  /** The index that a name points at, or that is named by its own digest; undefined for ids, and for names of single images. */
  of(name: string): IndexRecord | undefined {
    const digest = /^[0-9a-f]{64}$/.test(name) ? `sha256:${name}` : name;
    if (isDigest(digest)) return this.find(digest);
    const reference = parseReference(name);
    if (reference.digest) return this.#hasDigest(reference) ? this.find(reference.digest) : undefined;
    const row = this.#database
      .statement("SELECT i.* FROM image_refs r JOIN image_indexes i ON i.digest = r.index_digest WHERE r.reference = ?")
      .get(formatReference(tagNameOnly(reference)));
    return row ? indexOf(row) : undefined;
  }

  /** The index that names point at together with an image, for all images that have one: a tag's before a digest's. */
  byImage(): Map<Digest, IndexRecord> {
    const rows = this.#all(
      `SELECT d.image_id, i.* FROM image_digests d JOIN image_indexes i USING (digest)
       UNION ALL SELECT n.image_id, i.* FROM nameless_indexes n JOIN image_indexes i USING (digest)
       UNION ALL SELECT r.image_id, i.* FROM image_refs r JOIN image_indexes i ON i.digest = r.index_digest`,
    );
    return new Map(rows.map((row) => [row["image_id"] as Digest, indexOf(row)]));
  }

  /** The images of an index that are here, in the order of the index. */
  parts(index: Digest): IndexPart[] {
    const rows = this.#all(
      `SELECT p.manifest_digest, i.record FROM index_parts p JOIN images i ON i.id = p.image_id
       WHERE p.index_digest = ? ORDER BY p.position`,
      index,
    );
    return rows.map((row) => ({
      manifest: row["manifest_digest"] as Digest,
      image: JSON.parse(String(row["record"])),
    }));
  }

  /** Indexes that have the image and that a name points at. */
  holding(image: Digest): Digest[] {
    return this.#all(
      `SELECT index_digest FROM index_parts p WHERE image_id = ? AND ${IS_NAMED}
       ORDER BY index_digest`,
      image,
    ).map((row) => row["index_digest"] as Digest);
  }

  /** All names through which an image is reached, its own and those of its indexes; canonical and sorted. */
  names(image: Digest): ImageNames {
    const indexes = "(SELECT index_digest FROM index_parts WHERE image_id = :id)";
    const select = (sql: string): string[] =>
      this.#database
        .statement(sql)
        .all({ id: image })
        .map((row) => String(row["name"]));
    return {
      references: select(
        `SELECT reference AS name FROM image_refs WHERE image_id = :id OR index_digest IN ${indexes} ORDER BY 1`,
      ),
      digests: select(
        `SELECT repository || '@' || digest AS name FROM image_digests WHERE image_id = :id OR digest IN ${indexes} ORDER BY 1`,
      ),
    };
  }

  /** Ids of all variants. */
  variants(): Set<Digest> {
    const rows = this.#all(
      `SELECT DISTINCT image_id FROM index_parts p WHERE ${IS_NAMED}
         AND NOT EXISTS (SELECT 1 FROM nameless_indexes n WHERE n.image_id = p.image_id)
         AND NOT EXISTS (SELECT 1 FROM image_refs r WHERE r.image_id = p.image_id)
         AND NOT EXISTS (SELECT 1 FROM image_digests d WHERE d.image_id = p.image_id)`,
    );
    return new Set(rows.map((row) => row["image_id"] as Digest));
  }

  /** Points every name of an index that points at one of its images at another. */
  moveNames(index: Digest, from: Digest, to: Digest): void {
    this.#run("UPDATE nameless_indexes SET image_id = ? WHERE digest = ? AND image_id = ?", [to, index, from]);
    this.#run("UPDATE image_refs SET image_id = ? WHERE index_digest = ? AND image_id = ?", [to, index, from]);
    this.#run("UPDATE image_digests SET image_id = ? WHERE digest = ? AND image_id = ?", [to, index, from]);
  }

  /** Points every tag of an index at another one, of the same images. */
  replace(before: Digest, now: Digest): void {
    this.#run("UPDATE image_refs SET index_digest = ? WHERE index_digest = ?", [now, before]);
  }

  /** Forgets indexes that no name points at, and returns them: their documents can go. */
  removeUnnamed(): Digest[] {
    const unnamed = this.#all(`SELECT digest AS index_digest FROM image_indexes p WHERE NOT ${isNamed("p.digest")}`);
    const digests = unnamed.map((row) => row["index_digest"] as Digest);
    for (const digest of digests) this.#run("DELETE FROM image_indexes WHERE digest = ?", [digest]);
    return digests;
  }

  #hasDigest(reference: Reference): boolean {
    const values = [repositoryName(reference), reference.digest ?? ""];
    return this.#all("SELECT 1 FROM image_digests WHERE repository = ? AND digest = ?", ...values).length > 0;
  }

  #all(sql: string, ...values: string[]): Record<string, unknown>[] {
    return this.#database.statement(sql).all(...values);
  }

  #run(sql: string, values: readonly (string | number)[]): void {
    this.#database.statement(sql).run(...values);
  }
}

/** Whether a tag or a digest here points at the index in `column`, or it is kept without one. */
function isNamed(column: string): string {
  return `(EXISTS (SELECT 1 FROM image_refs n WHERE n.index_digest = ${column})
        OR EXISTS (SELECT 1 FROM nameless_indexes n WHERE n.digest = ${column})
        OR EXISTS (SELECT 1 FROM image_digests n WHERE n.digest = ${column}))`;
}

const IS_NAMED = isNamed("p.index_digest");

function indexOf(row: Record<string, unknown>): IndexRecord {
  return {
    digest: row["digest"] as Digest,
    mediaType: String(row["media_type"]),
    size: Number(row["size"]),
  };
}
