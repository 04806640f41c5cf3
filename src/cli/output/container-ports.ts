import type { PortSummary } from "#spec/docker-containers.ts";

interface Group {
  readonly first: number;
  readonly last: number;
}

/**
 * The PORTS column: neighbouring ports that are published as themselves are folded into ranges, others follow one by one.
 * https://github.com/docker/cli/blob/v28.2.2/cli/command/formatter/container.go (DisplayablePorts)
 */
export function displayPorts(ports: readonly PortSummary[]): string {
  const groups = new Map<string, Group>();
  const closed: string[] = [];
  const mapped: string[] = [];
  for (const port of [...ports].sort(comparePorts)) {
    const { IP = "", PrivatePort: current, PublicPort = 0, Type } = port;
    if (IP !== "" && PublicPort !== current) {
      mapped.push(`${joinHostPort(IP, String(PublicPort))}->${current}/${Type}`);
      continue;
    }
    const key = IP === "" ? Type : `${IP}/${Type}`;
    const group = groups.get(key);
    if (group && current === group.last + 1) {
      groups.set(key, { first: group.first, last: current });
    } else {
      if (group) closed.push(groupText(key, group));
      groups.set(key, { first: current, last: current });
    }
  }
  const open = [...groups].map(([key, group]) => groupText(key, group));
  return [...closed, ...open, ...mapped].join(", ");
}

/** `1.2.3.4:80`, `[::]:80`. */
export function joinHostPort(host: string, port: string): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function groupText(key: string, group: Group): string {
  const slash = key.indexOf("/");
  const range = group.first === group.last ? String(group.first) : `${group.first}-${group.last}`;
  if (slash < 0) return `${range}/${key}`;
  return `${joinHostPort(key.slice(0, slash), range)}->${range}/${key.slice(slash + 1)}`;
}

function comparePorts(a: PortSummary, b: PortSummary): number {
  return (
    a.PrivatePort - b.PrivatePort ||
    compareTexts(a.IP ?? "", b.IP ?? "") ||
    (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
    compareTexts(a.Type, b.Type)
  );
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
