import { NIL_POINTER } from "#formats/go-template/values.ts";
import { humanSize } from "#formats/go-units.ts";
import type { ContainerSummary } from "#spec/docker-containers.ts";
import { displayPorts } from "./container-ports.ts";
import type { ListShape, Row } from "./row.ts";
import { ago, ellipsis, goQuote, goTime, joinLabels, shortId } from "./texts.ts";

const COMMAND_WIDTH = 20;
const MOUNT_WIDTH = 15;

export const CONTAINER_LIST: ListShape = {
  goType: "*formatter.ContainerContext",
  raw: {
    ID: "container_id",
    Image: "image",
    Command: "command",
    CreatedAt: "created_at",
    State: "state",
    Status: "status",
    Names: "names",
    Labels: "labels",
    Ports: "ports",
  },
  headers: {
    ID: "CONTAINER ID",
    Names: "NAMES",
    Image: "IMAGE",
    Command: "COMMAND",
    CreatedAt: "CREATED AT",
    RunningFor: "CREATED",
    Ports: "PORTS",
    State: "STATE",
    Status: "STATUS",
    Size: "SIZE",
    Labels: "LABELS",
    Mounts: "MOUNTS",
    LocalVolumes: "LOCAL VOLUMES",
    Networks: "NETWORKS",
    Platform: "PLATFORM",
  },
  probe: () => containerRow(NO_CONTAINER, true),
};

const NO_CONTAINER: ContainerSummary = {
  Id: "",
  Names: [],
  Image: "",
  ImageID: "",
  Command: "",
  Created: 0,
  Ports: [],
  Labels: {},
  State: "created",
  Status: "",
  HostConfig: { NetworkMode: "" },
  NetworkSettings: { Networks: {} },
  Mounts: [],
};

/** A container as `ps` prints it; `truncate` is off with `--no-trunc`. */
export function containerRow(container: ContainerSummary, truncate: boolean): Row {
  const { Labels: labels, Mounts: mounts } = container;
  return {
    ID: truncate ? shortId(container.Id) : container.Id,
    Names: namesOf(container.Names, truncate),
    Image: imageOf(container, truncate),
    Command: goQuote(truncate ? ellipsis(container.Command, COMMAND_WIDTH) : container.Command),
    // On demand: loading the local time zone takes longer than all the rest of a list.
    get CreatedAt() {
      return goTime(container.Created);
    },
    RunningFor: ago(container.Created),
    Ports: displayPorts(container.Ports ?? []),
    State: container.State,
    Status: container.Status,
    Size: containerSize(container),
    Labels: joinLabels(labels),
    Mounts: (mounts ?? [])
      .map((mount) => mount.Name || mount.Source)
      .map((name) => (truncate ? ellipsis(name, MOUNT_WIDTH) : name))
      .join(","),
    LocalVolumes: String((mounts ?? []).filter((mount) => mount.Driver === "local").length),
    Networks: Object.keys(container.NetworkSettings?.Networks ?? {}).join(","),
    Platform: NIL_POINTER,
    Label: (name) => labels?.[name] ?? "",
  };
}

/** `12B (virtual 5.58MB)`. */
function containerSize({ SizeRw = 0, SizeRootFs = 0 }: ContainerSummary): string {
  const own = humanSize(SizeRw, 3);
  return SizeRootFs > 0 ? `${own} (virtual ${humanSize(SizeRootFs, 3)})` : own;
}

/** Names begin with a slash; those with a second one are links of other containers. */
function namesOf(names: readonly string[], truncate: boolean): string {
  const bare = names.map((name) => name.replace(/^\//, ""));
  const own = bare.filter((name) => !name.includes("/"));
  return (truncate && own.length > 0 ? own : bare).join(",");
}

function imageOf({ Image, ImageID }: ContainerSummary, truncate: boolean): string {
  if (Image === "") return "<no image>";
  if (!truncate) return Image;
  if (shortId(ImageID) === shortId(Image)) return shortId(Image);
  // name:tag@digest says too much for a table.
  const at = Image.indexOf("@");
  return at > 0 && Image.slice(0, at).includes(":") ? Image.slice(0, at) : Image;
}
