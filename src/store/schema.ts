/**
 * The metadata database, one migration per entry, applied in order and never edited once released (`user_version` counts them).
 * Content lives in files named by digest; these rows say what it means. Times are milliseconds since the epoch.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE layers (
    diff_id TEXT PRIMARY KEY, size INTEGER NOT NULL, content_size INTEGER NOT NULL, file_size INTEGER NOT NULL, created INTEGER NOT NULL
  ) STRICT;
  -- The compressed forms in which registries have a layer, so that a push of a pulled image sends the same bytes' digest.
  CREATE TABLE layer_blobs (
    digest TEXT PRIMARY KEY, diff_id TEXT NOT NULL REFERENCES layers ON DELETE CASCADE, size INTEGER NOT NULL, media_type TEXT NOT NULL
  ) STRICT;
  CREATE INDEX layer_blobs_by_layer ON layer_blobs (diff_id);
  -- Repositories known to hold a blob: candidates for a cross-repository mount.
  CREATE TABLE blob_sources (
    digest TEXT NOT NULL REFERENCES layer_blobs ON DELETE CASCADE, repository TEXT NOT NULL, PRIMARY KEY (digest, repository)
  ) STRICT;
  -- id is the digest of the image config; size is the sum of the layers' content sizes.
  CREATE TABLE images (id TEXT PRIMARY KEY, created INTEGER NOT NULL, size INTEGER NOT NULL, record TEXT NOT NULL) STRICT;
  CREATE TABLE image_layers (
    image_id TEXT NOT NULL REFERENCES images ON DELETE CASCADE, position INTEGER NOT NULL,
    diff_id TEXT NOT NULL REFERENCES layers, PRIMARY KEY (image_id, position)
  ) STRICT;
  CREATE INDEX image_layers_by_layer ON image_layers (diff_id);
  -- Canonical names: "docker.io/library/busybox:latest" -> image.
  CREATE TABLE image_refs (reference TEXT PRIMARY KEY, image_id TEXT NOT NULL REFERENCES images) STRICT;
  CREATE INDEX image_refs_by_image ON image_refs (image_id);
  -- "docker.io/library/busybox" + manifest digest -> image: RepoDigests.
  CREATE TABLE image_digests (
    repository TEXT NOT NULL, digest TEXT NOT NULL, image_id TEXT NOT NULL REFERENCES images ON DELETE CASCADE,
    PRIMARY KEY (repository, digest)
  ) STRICT;
  CREATE INDEX image_digests_by_image ON image_digests (image_id);
  CREATE TABLE containers (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, image_id TEXT NOT NULL, created INTEGER NOT NULL, record TEXT NOT NULL) STRICT;
  CREATE INDEX containers_by_image ON containers (image_id);
  CREATE TABLE networks (id TEXT PRIMARY KEY, name TEXT NOT NULL, record TEXT NOT NULL) STRICT;
  CREATE TABLE volumes (name TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  -- One row per solved build step: key -> the layer it made (NULL: the step made none).
  CREATE TABLE build_cache (
    key TEXT PRIMARY KEY, parent TEXT, diff_id TEXT REFERENCES layers, description TEXT NOT NULL, record TEXT NOT NULL,
    created INTEGER NOT NULL, last_used INTEGER NOT NULL, uses INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX build_cache_by_layer ON build_cache (diff_id);
  `,
  `
  -- Steps by what they do wherever they do it (COPY), and what later steps see of the layer.
  ALTER TABLE build_cache ADD COLUMN content_id TEXT;
  ALTER TABLE build_cache ADD COLUMN floating TEXT;
  ALTER TABLE build_cache ADD COLUMN facts TEXT;
  CREATE INDEX build_cache_by_floating ON build_cache (floating, created) WHERE floating IS NOT NULL;
  -- One row per build. lineage: the same Dockerfile, context and target. record: JSON, spec/build-record.ts. size: bytes of its log.
  CREATE TABLE builds (
    id TEXT PRIMARY KEY, lineage TEXT NOT NULL, created INTEGER NOT NULL, completed INTEGER NOT NULL, size INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX builds_by_lineage ON builds (lineage, created);
  CREATE INDEX builds_by_time ON builds (created);
  `,
  `
  -- Indexes (images of several platforms) that names point at; the documents are blobs.
  CREATE TABLE image_indexes (digest TEXT PRIMARY KEY, media_type TEXT NOT NULL, size INTEGER NOT NULL) STRICT;
  -- The images of an index that are here, at their places in it.
  CREATE TABLE index_parts (
    index_digest TEXT NOT NULL REFERENCES image_indexes ON DELETE CASCADE, position INTEGER NOT NULL,
    manifest_digest TEXT NOT NULL, image_id TEXT NOT NULL REFERENCES images ON DELETE CASCADE,
    PRIMARY KEY (index_digest, manifest_digest)
  ) STRICT;
  CREATE INDEX index_parts_by_image ON index_parts (image_id);
  CREATE INDEX images_by_manifest ON images (json_extract(record, '$.manifest.digest'));
  -- The index that the name points at, besides the image of it that the name means without a platform.
  ALTER TABLE image_refs ADD COLUMN index_digest TEXT;
  CREATE INDEX image_refs_by_index ON image_refs (index_digest);
  CREATE INDEX image_digests_by_digest ON image_digests (digest);
  `,
  `
  -- Which build's record names which list of files (builds/files/<hex>.zst): a list that no record names can go.
  CREATE TABLE build_files (
    content TEXT NOT NULL, build_id TEXT NOT NULL REFERENCES builds ON DELETE CASCADE, PRIMARY KEY (content, build_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX build_files_by_build ON build_files (build_id);
  -- Sizes without the records.
  DROP INDEX builds_by_time;
  CREATE INDEX builds_by_time ON builds (created, size);
  `,
  `
  -- One row per directory of RUN --mount=type=cache.
  CREATE TABLE cache_mounts (
    key TEXT PRIMARY KEY, id TEXT NOT NULL, target TEXT NOT NULL, size INTEGER NOT NULL, created INTEGER NOT NULL,
    last_used INTEGER NOT NULL, last_user TEXT NOT NULL
  ) STRICT;
  CREATE INDEX cache_mounts_by_id ON cache_mounts (id);
  `,
  `
  -- Blobs that an index needs besides its images' own: what a build attests of them.
  CREATE TABLE index_documents (
    index_digest TEXT NOT NULL REFERENCES image_indexes ON DELETE CASCADE, digest TEXT NOT NULL, PRIMARY KEY (index_digest, digest)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Records that somebody wants to keep: they go only when they are removed.
  ALTER TABLE builds ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Indexes that builds without a name made, each with the image of it that its digest means: they stay until that image goes, or until a name has them.
  CREATE TABLE nameless_indexes (
    digest TEXT PRIMARY KEY REFERENCES image_indexes ON DELETE CASCADE, image_id TEXT NOT NULL REFERENCES images ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX nameless_indexes_by_image ON nameless_indexes (image_id);
  `,
];
