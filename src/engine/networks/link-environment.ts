import type { ContainerRecord } from "#engine/containers/container-record.ts";
import type { ContainerStore } from "#engine/containers/container-store.ts";
import { bridgeAddress, linkedContainers } from "./legacy-links.ts";

interface Port {
  readonly number: number;
  readonly protocol: string;
}

/**
 * The variables that tell a container of those it is linked to: name, exposed ports, and their own environment. Docker calls them legacy, yet sets
 * them. https://docs.docker.com/engine/network/links/#environment-variables
 */
export function linkEnvironment(containers: ContainerStore, record: ContainerRecord): readonly string[] {
  return linkedContainers(containers, record).flatMap(({ linked, alias }) => {
    const address = bridgeAddress(linked);
    if (address === undefined) return [];
    const prefix = alias.toUpperCase().replaceAll("-", "_");
    return [
      ...portVariables(prefix, address, portsOf(linked)),
      `${prefix}_NAME=/${record.name}/${alias}`,
      ...(linked.config.Env ?? [])
        .filter((entry) => entry.includes("=") && !/^(?:HOME|PATH)=/.test(entry))
        .map((entry) => `${prefix}_ENV_${entry}`),
    ];
  });
}

/** By number, TCP first. */
function portsOf({ config }: ContainerRecord): readonly Port[] {
  const ports = Object.keys(config.ExposedPorts ?? {}).map((text) => {
    const [number = "", protocol = "tcp"] = text.split("/");
    return { number: Number(number), protocol };
  });
  return ports.toSorted((a, b) => a.number - b.number || (a.protocol === "tcp" ? -1 : 1));
}

function portVariables(prefix: string, address: string, ports: readonly Port[]): string[] {
  const url = ({ number, protocol }: Port): string => `${protocol}://${address}:${number}`;
  const name = ({ number, protocol }: Port): string => `${prefix}_PORT_${number}_${protocol.toUpperCase()}`;
  const [first] = ports;
  return [
    ...(first ? [`${prefix}_PORT=${url(first)}`] : []),
    ...ports.flatMap((port) => [
      `${name(port)}=${url(port)}`,
      `${name(port)}_ADDR=${address}`,
      `${name(port)}_PORT=${port.number}`,
      `${name(port)}_PROTO=${port.protocol}`,
    ]),
    ...ranges(ports).flatMap(([start, end]) => [
      `${name(start)}_START=${url(start)}`,
      `${name(start)}_PORT_START=${start.number}`,
      `${name(start)}_END=${url(end)}`,
      `${name(start)}_PORT_END=${end.number}`,
    ]),
  ];
}

/** First and last of consecutive ports of one protocol. */
function ranges(ports: readonly Port[]): readonly (readonly [Port, Port])[] {
  const found: [Port, Port][] = [];
  for (const port of ports) {
    const last = found.at(-1);
    if (last && last[1].protocol === port.protocol && last[1].number + 1 === port.number) last[1] = port;
    else found.push([port, port]);
  }
  return found.filter(([start, end]) => start !== end);
}
