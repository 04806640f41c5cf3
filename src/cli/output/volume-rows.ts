import { humanSize } from "#formats/go-units.ts";
import type { VolumeView } from "#spec/docker-volumes.ts";
import type { ListShape, Row } from "./row.ts";
import { joinLabels } from "./texts.ts";

const UNKNOWN = "N/A";

export const VOLUME_LIST: ListShape = {
  goType: "*formatter.volumeContext",
  raw: { Name: "name", Driver: "driver" },
  headers: {
    Name: "VOLUME NAME",
    Driver: "DRIVER",
    Scope: "SCOPE",
    Mountpoint: "MOUNTPOINT",
    Labels: "LABELS",
    Links: "LINKS",
    Size: "SIZE",
    Availability: "AVAILABILITY",
    Group: "GROUP",
    Status: "STATUS",
  },
};

/** A volume as `volume ls` and `system df -v` print it. */
export function volumeRow(volume: VolumeView): Row {
  const { UsageData: usage } = volume;
  return {
    Name: volume.Name,
    Driver: volume.Driver,
    Scope: volume.Scope,
    Mountpoint: volume.Mountpoint,
    Labels: joinLabels(volume.Labels),
    Links: usage ? String(usage.RefCount) : UNKNOWN,
    Size: usage ? humanSize(usage.Size) : UNKNOWN,
    Availability: UNKNOWN,
    Group: UNKNOWN,
    Status: UNKNOWN,
    Label: (name) => volume.Labels?.[name] ?? "",
  };
}
