import { createHash } from "node:crypto";
import { digestHex } from "#formats/digest.ts";
import { SUPERBLOCK_OFFSET } from "#formats/erofs/erofs-format.ts";
import { buildErofsIndex, type ErofsIndex } from "#formats/erofs/erofs-index.ts";
import { LayerTree } from "#formats/erofs/layer-tree.ts";
import { TarParser } from "#formats/tar/tar-parser.ts";
import type { Digest } from "#spec/digest.ts";

/** Where the tar begins in every layer file (docs/layer-file.md): the first page holds the header and the superblock. */
export const TAR_OFFSET = 4096;

/** Builds a layer's index while its tar streams by. */
export class LayerIndexer {
  readonly #tree: LayerTree = new LayerTree();
  readonly #parser: TarParser = new TarParser({ entry: (entry) => this.#tree.add(entry) });

  /** Takes the next piece of the tar. Throws as the parser and the tree do; the bytes are not kept. */
  push(chunk: Uint8Array): void {
    this.#parser.push(chunk);
  }

  /** The index of the complete tar of `tarSize` bytes. */
  finish(diffId: Digest, tarSize: number): ErofsIndex {
    this.#parser.end();
    const uuid = Buffer.from(digestHex(diffId).slice(0, 32), "hex");
    return buildErofsIndex(this.#tree, { tarOffset: TAR_OFFSET, tarSize, uuid });
  }
}

/**
 * The first page of a layer file: a line of text that says what the file is, for people and for recovery without the database,
 * and the EROFS superblock.
 */
export function firstPage(diffId: Digest, tarSize: number, index: ErofsIndex): Uint8Array {
  const page = new Uint8Array(TAR_OFFSET);
  page.set(
    Buffer.from(
      `berth layer 1\ndiff-id ${diffId}\ntar ${TAR_OFFSET} ${tarSize}\n` +
        `index ${index.metadataOffset} ${index.metadata.length}\nindex-sha256 ${sha256Hex(index.metadata)}\n`,
    ),
  );
  page.set(index.superblock, SUPERBLOCK_OFFSET);
  return page;
}

function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
