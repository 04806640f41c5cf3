/** `image ls --tree`: an image a line, and below it a line for each of its platforms. https://github.com/docker/cli/blob/v28.2.2/cli/command/image/tree.go */
import { humanSize } from "#formats/go-units.ts";
import { alignTabs } from "#formats/tabwriter.ts";
import type { ImageSummary, ManifestSummary } from "#spec/docker-images.ts";
import { shortId } from "./texts.ts";

const HEADER = ["IMAGE", "ID", "DISK USAGE", "CONTENT SIZE", "EXTRA"];
/** What EXTRA says of an image that a container uses. */
const IN_USE = "U";

interface TreeLine {
  readonly name: string;
  readonly id: string;
  readonly total: number;
  readonly content: number;
  readonly inUse: boolean;
}

/** The whole tree as text, images in the order given. */
export function formatImageTree(images: readonly ImageSummary[]): string {
  const lines = images.flatMap((image) => imageLines(image).map(cells));
  return alignTabs([HEADER, ...lines].map((line) => `${line.join("\t")}\n`).join(""));
}

function imageLines(image: ImageSummary): TreeLine[] {
  const parts = (image.Manifests ?? []).filter(({ Kind: kind }) => kind === "image");
  const here = parts.filter(({ Available: available }) => available);
  const names = image.RepoTags.length > 0 ? image.RepoTags : ["<untagged>"];
  const top = {
    id: image.Id,
    total: here.length > 0 ? sum(here, ({ Size: size }) => size.Total) : image.Size,
    content: sum(here, ({ Size: size }) => size.Content),
    inUse: image.Containers > 0 || here.some((part) => usersOf(part) > 0),
  };
  const children = parts.map((part, at) => ({
    name: `${at === parts.length - 1 ? "└─" : "├─"} ${platformOf(part)}`,
    id: part.ID,
    total: part.Size.Total,
    content: part.Size.Content,
    inUse: usersOf(part) > 0,
  }));
  return [...names.map((name) => ({ name, ...top })), ...children];
}

function cells({ name, id, total, content, inUse }: TreeLine): string[] {
  return [name, shortId(id), humanSize(total, 3), humanSize(content, 3), inUse ? IN_USE : ""];
}

function platformOf({ ImageData: data }: ManifestSummary): string {
  const { os = "", architecture = "", variant = "" } = data?.Platform ?? {};
  return [os, architecture, variant].filter(Boolean).join("/");
}

function usersOf({ ImageData: data }: ManifestSummary): number {
  return data?.Containers.length ?? 0;
}

function sum<T>(items: readonly T[], measure: (item: T) => number): number {
  return items.reduce((total, item) => total + measure(item), 0);
}
