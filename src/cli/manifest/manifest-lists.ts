/** Lists that are being put together, on the user's disk where docker keeps them: `manifests/LIST/MANIFEST` beside config.json. */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DataLossError, errorCode, errorMessage, NotFoundError } from "#errors/errors.ts";
import { familiarString, formatReference, type Reference } from "#formats/reference.ts";
import { type Decoder, integer, object, text, textList } from "#lib/json-decoder.ts";
import { MEDIA_TYPE } from "#spec/oci-image.ts";
import { digestText, type ListedManifest, type ListedPlatform } from "./listed-manifest.ts";

const asIs: Decoder<unknown> = (value) => value;

const decodeListed = object<ListedManifest>(
  {
    Ref: text,
    Descriptor: object<ListedManifest["Descriptor"]>(
      {
        mediaType: text,
        digest: digestText,
        size: integer,
        platform: object<ListedPlatform>(
          { architecture: text, os: text, "os.version": text, "os.features": textList, variant: text },
          { architecture: "", os: "" },
        ),
      },
      { mediaType: "", digest: "sha256:", size: 0 },
    ),
    Raw: text,
    SchemaV2Manifest: asIs as Decoder<NonNullable<unknown>>,
    OCIManifest: asIs as Decoder<NonNullable<unknown>>,
  },
  { Ref: "", Descriptor: { mediaType: "", digest: "sha256:", size: 0 }, Raw: "" },
);

/** The local lists of a user. */
export class ManifestLists {
  readonly #root: string;

  constructor(configDirectory: string) {
    this.#root = join(configDirectory, "manifests");
  }

  /** The manifests of a list, sorted by name; undefined when there is none. Throws DataLossError for a damaged file. */
  async get(list: Reference): Promise<readonly ListedManifest[] | undefined> {
    const directory = this.#directory(list);
    const names = await readdir(directory).catch((error: unknown) => {
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    });
    if (!names) return undefined;
    return Promise.all(names.sort().map((name) => readListed(join(directory, name))));
  }

  /** As `get`. Throws NotFoundError in Docker's words. */
  async mustGet(list: Reference): Promise<readonly ListedManifest[]> {
    const found = await this.get(list);
    if (!found) throw new NotFoundError(`No such manifest: ${formatReference(list)}`);
    return found;
  }

  async save(list: Reference, manifest: Reference, content: ListedManifest): Promise<void> {
    const directory = this.#directory(list);
    await mkdir(directory, { recursive: true, mode: 0o755 });
    await writeFile(join(directory, fileName(manifest)), JSON.stringify(content), { mode: 0o644 });
  }

  async remove(list: Reference): Promise<void> {
    await rm(this.#directory(list), { recursive: true, force: true });
  }

  #directory(list: Reference): string {
    return join(this.#root, fileName(list));
  }
}

/** The manifest of a list with that name. */
export function findInList(list: readonly ListedManifest[], name: Reference): ListedManifest | undefined {
  return list.find(({ Ref: ref }) => ref === familiarString(name));
}

/** The document that a list becomes, as Go writes it: with three spaces. */
export function listDocument(manifests: readonly ListedManifest[]): {
  readonly mediaType: string;
  readonly text: string;
} {
  const isOci = manifests[0]?.Descriptor.mediaType === MEDIA_TYPE.ociManifest;
  const mediaType = isOci ? MEDIA_TYPE.ociIndex : MEDIA_TYPE.dockerIndex;
  const entries = manifests.map(({ Descriptor: { mediaType: type, size, digest, platform } }) => ({
    mediaType: type,
    size,
    digest,
    platform: platform ?? { architecture: "", os: "" },
  }));
  return { mediaType, text: JSON.stringify({ schemaVersion: 2, mediaType, manifests: entries }, null, 3) };
}

async function readListed(path: string): Promise<ListedManifest> {
  try {
    return decodeListed(JSON.parse(await readFile(path, "utf8")), "");
  } catch (cause) {
    throw new DataLossError(`cannot read ${path}: ${errorMessage(cause)}`, { cause });
  }
}

/** No name of a reference leads out of a directory once its slashes are gone. */
function fileName(reference: Reference): string {
  return formatReference(reference).replaceAll(":", "-").replaceAll("/", "_");
}
