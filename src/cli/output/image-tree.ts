/**
 * Images as docker 29 shows them on a terminal, and as `image ls --tree` does: an image a line, and below it a line for each of its platforms.
 * https://github.com/docker/cli/blob/v29.0.0/cli/command/image/tree.go
 */
import { humanSize } from "#formats/go-units.ts";
import { alignTabs } from "#formats/tabwriter.ts";
import type { ImageSummary, ManifestSummary } from "#spec/docker-images.ts";
import { shortId } from "./texts.ts";

const HEADER = ["IMAGE", "ID", "DISK USAGE", "CONTENT SIZE", "EXTRA"];
/** What EXTRA says of an image that a container uses. */
const IN_USE = "U";
const LEGEND = { head: "i Info →  ", chip: ` ${IN_USE} `, tail: " In Use" };

/** Black on bright cyan, as docker's chip. */
const CHIP_COLOR = "\u001b[38;5;0m\u001b[48;5;14m";
const BOLD = "\u001b[1m";
const RESET = "\u001b[0m";

export interface TreeLook {
  /** With a line for each platform. */
  readonly expanded: boolean;
  /** With the legend, for people. */
  readonly legend: boolean;
  readonly color: boolean;
}

interface TreeLine {
  readonly name: string;
  readonly id: string;
  readonly total: number;
  readonly content: number;
  readonly inUse: boolean;
}

/** The whole list as text, images in the order given. */
export function formatImageTree(images: readonly ImageSummary[], look: TreeLook): string {
  const lines = images.flatMap((image) => imageLines(image, look.expanded).map(cells));
  const table = alignTabs([HEADER, ...lines].map((line) => `${line.join("\t")}\n`).join(""));
  const [header = "", ...rows] = table.split("\n");
  const body = [
    look.color ? `${BOLD}${header}${RESET}` : header,
    ...rows.map((row) => (look.color ? withChip(row) : row)),
  ];
  const text = body.join("\n");
  return look.legend ? `${legend(header.length, look.color)}\n${text}` : text;
}

/** The chip of a line stands at its end. */
function withChip(line: string): string {
  return line.replace(/ U *$/, `${CHIP_COLOR} ${IN_USE} ${RESET}`);
}

/** At the right of a table of `width` columns. */
function legend(width: number, color: boolean): string {
  const { head, chip, tail } = LEGEND;
  const indent = " ".repeat(Math.max(0, width - head.length - chip.length - tail.length));
  return `${indent}${head}${color ? `${CHIP_COLOR}${chip}${RESET}` : chip}${tail}`;
}

function imageLines(image: ImageSummary, expanded: boolean): TreeLine[] {
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
  return [...names.map((name) => ({ name, ...top })), ...(expanded ? children : [])];
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
