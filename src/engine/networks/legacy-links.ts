import type { ContainerContext } from "#engine/containers/container-context.ts";
import { type ContainerRecord, isRunning } from "#engine/containers/container-record.ts";
import { ConflictError, InvalidParameterError } from "#errors/errors.ts";
import type { HostLine } from "#network/hosts-file.ts";
import type { HostConfig } from "#spec/docker-api.ts";
import { isUserDefined } from "./network-registry.ts";

/**
 * Links of the default bridge, where there are no names: lines in /etc/hosts. Docker's variables in the environment, which it calls legacy itself,
 * are not set. https://docs.docker.com/engine/network/links/
 */
interface Link {
  readonly name: string;
  readonly alias: string;
}

/** The links that `HostConfig.Links` makes; on user-defined networks the endpoint's own count. Throws InvalidParameterError. */
function linksOf({ Links, NetworkMode = "" }: HostConfig): readonly Link[] {
  if (isUserDefined(NetworkMode)) return [];
  return (Links ?? []).map((text) => {
    const [name = "", alias = "", ...rest] = text.split(":");
    if (name === "" || rest.length > 0) throw new InvalidParameterError(`bad format for links: ${text}`);
    const last = (path: string): string => path.split("/").at(-1) ?? "";
    return { name: name.replace(/^\//, ""), alias: last(alias) || last(name) };
  });
}

/** Throws InvalidParameterError in Docker's words when a new container's links cannot be. */
export function checkLinks(context: Pick<ContainerContext, "containers">, hostConfig: HostConfig): void {
  for (const { name } of linksOf(hostConfig)) {
    const linked = context.containers.lookup(name);
    if (!linked) throw new InvalidParameterError(`could not get container for ${name}: No such container: ${name}`);
    if (linked.hostConfig.NetworkMode === "host") {
      throw new InvalidParameterError(
        "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
      );
    }
  }
}

/** The lines of a starting container. Throws ConflictError in Docker's words for a linked container that does not run. */
export function linkLines(context: Pick<ContainerContext, "containers">, record: ContainerRecord): readonly HostLine[] {
  return linksOf(record.hostConfig).flatMap(({ name, alias }) => {
    const linked = context.containers.resolve(name);
    if (!isRunning(linked)) {
      throw new ConflictError(`Cannot link to a non running container: /${linked.name} AS /${record.name}/${alias}`);
    }
    const endpoint = linked.sandbox?.endpoints.find(({ networkName }) => networkName === "bridge");
    const names = [...new Set([alias, linked.config.Hostname ?? "", linked.name])].filter(
      (candidate) => candidate !== "",
    );
    return endpoint ? [{ address: endpoint.ipv4, names }] : [];
  });
}
