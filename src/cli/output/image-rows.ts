import { humanSize } from "#formats/go-units.ts";
import type { ImageSummary } from "#spec/docker-images.ts";
import type { ListShape, Row } from "./row.ts";
import { ago, goTime, shortId } from "./texts.ts";

const NONE = "<none>";
const UNKNOWN = "N/A";

export const IMAGE_LIST: ListShape = {
  goType: "*formatter.imageContext",
  raw: { Repository: "repository", Tag: "tag", ID: "image_id", CreatedAt: "created_at", Size: "virtual_size" },
  headers: {
    ID: "IMAGE ID",
    Repository: "REPOSITORY",
    Tag: "TAG",
    Digest: "DIGEST",
    CreatedSince: "CREATED",
    CreatedAt: "CREATED AT",
    Size: "SIZE",
    Containers: "CONTAINERS",
    VirtualSize: "SIZE",
    SharedSize: "SHARED SIZE",
    UniqueSize: "UNIQUE SIZE",
  },
};

/** Rows of an image: one a tag (and a digest, `withDigests`), or one that says `<none>`. */
export function imageRows(
  image: ImageSummary,
  options: { readonly truncate: boolean; readonly withDigests: boolean },
): readonly Row[] {
  return namesOf(image, options.withDigests).map((name) => imageRow(image, name, options.truncate));
}

interface ImageName {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

/** Digest references stand for themselves only where their repository has no tag. https://github.com/docker/cli/blob/v28.2.2/cli/command/formatter/image.go */
function namesOf(image: ImageSummary, withDigests: boolean): readonly ImageName[] {
  const tags = groupByRepository(image.RepoTags, ":");
  const digests = groupByRepository(image.RepoDigests, "@");
  const names: ImageName[] = [];
  for (const [repository, ofRepository] of tags) {
    const shown = withDigests ? (digests.get(repository) ?? [NONE]) : [NONE];
    for (const tag of ofRepository) names.push(...shown.map((digest) => ({ repository, tag, digest })));
  }
  for (const [repository, ofRepository] of digests) {
    if (tags.has(repository)) continue;
    const shown = withDigests ? ofRepository : [""];
    names.push(...shown.map((digest) => ({ repository, tag: NONE, digest })));
  }
  return names.length > 0 ? names : [{ repository: NONE, tag: NONE, digest: NONE }];
}

/** Names by what stands in front of the last `mark`. The engine gives them in their familiar form. */
function groupByRepository(names: readonly string[] | null, mark: ":" | "@"): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const name of names ?? []) {
    const at = mark === ":" ? name.lastIndexOf(mark) : name.indexOf(mark);
    // Engines of old say <none>:<none> for an image without a name.
    if (at < 0 || name.startsWith(NONE)) continue;
    const repository = name.slice(0, at);
    groups.set(repository, [...(groups.get(repository) ?? []), name.slice(at + 1)]);
  }
  return groups;
}

function imageRow(image: ImageSummary, name: ImageName, truncate: boolean): Row {
  const { SharedSize: shared } = image;
  return {
    ID: truncate ? shortId(image.Id) : image.Id,
    Repository: name.repository,
    Tag: name.tag,
    Digest: name.digest,
    CreatedSince: image.Created > 0 ? ago(image.Created) : UNKNOWN,
    // On demand: loading the local time zone takes longer than all the rest of a list.
    get CreatedAt() {
      return goTime(image.Created);
    },
    Size: humanSize(image.Size, 3),
    Containers: image.Containers < 0 ? UNKNOWN : String(image.Containers),
    VirtualSize: humanSize(image.Size),
    SharedSize: shared < 0 ? UNKNOWN : humanSize(shared),
    UniqueSize: shared < 0 ? UNKNOWN : humanSize(image.Size - shared),
  };
}
