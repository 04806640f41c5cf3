import type { ContainerRecord } from "#engine/containers/container-record.ts";
import type { EndpointSettings } from "#spec/docker-containers.ts";

/** The names under which other containers of a user-defined network find a container; the first is what its address leads back to. */
export function dnsNames({ id, name, config }: ContainerRecord, { Aliases }: EndpointSettings): readonly string[] {
  const names = [name, ...(Aliases ?? []), id.slice(0, 12), config.Hostname ?? ""];
  return [...new Set(names)].filter((candidate) => candidate !== "");
}
