import type { ContainerContext } from "#engine/containers/container-context.ts";
import { type ContainerRecord, isRunning } from "#engine/containers/container-record.ts";
import type { ContainerStore } from "#engine/containers/container-store.ts";
import { ConflictError, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import type { HostLine } from "#network/hosts-file.ts";
import type { HostConfig } from "#spec/docker-containers.ts";
import { isUserDefined } from "./network-registry.ts";

/**
 * Links of the default bridge, where there are no names: lines in /etc/hosts, variables in the environment (see link-environment.ts), and the name
 * `/container/alias` for the linked container. A record's `HostConfig.Links` are `id:alias`, so that a rename does not part them.
 * https://docs.docker.com/engine/network/links/
 */
interface Link {
  /** Name or id. */
  readonly term: string;
  readonly alias: string;
}

type Containers = Pick<ContainerContext, "containers">;

/** The links that `HostConfig.Links` makes; on user-defined networks the endpoint's own count. Throws InvalidParameterError. */
function linksOf({ Links, NetworkMode = "" }: HostConfig): readonly Link[] {
  if (isUserDefined(NetworkMode)) return [];
  return (Links ?? []).map((text) => {
    const [name = "", alias = "", ...rest] = text.split(":");
    if (name === "" || rest.length > 0) throw new InvalidParameterError(`bad format for links: ${text}`);
    const last = (path: string): string => path.split("/").at(-1) ?? "";
    return { term: name.replace(/^\//, ""), alias: last(alias) || last(name) };
  });
}

/** A new container's HostConfig with its links by id. Throws InvalidParameterError in Docker's words when they cannot be. */
export function linksById({ containers }: Containers, hostConfig: HostConfig): HostConfig {
  const links = linksOf(hostConfig).map(({ term, alias }) => {
    const linked = containers.lookup(term);
    if (!linked) throw new InvalidParameterError(`could not get container for ${term}: No such container: ${term}`);
    if (linked.hostConfig.NetworkMode === "host") {
      throw new InvalidParameterError(
        "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
      );
    }
    return `${linked.id}:${alias}`;
  });
  return links.length === 0 ? hostConfig : { ...hostConfig, Links: links };
}

export interface LinkedContainer {
  readonly linked: ContainerRecord;
  readonly alias: string;
}

/** What a container is linked to, without those that are gone. */
export function linkedContainers(containers: ContainerStore, record: ContainerRecord): readonly LinkedContainer[] {
  return linksOf(record.hostConfig).flatMap(({ term, alias }) => {
    const linked = containers.lookup(term);
    return linked ? [{ linked, alias }] : [];
  });
}

/** `/linked:/container/alias`: the links as `inspect` shows them. */
export function linkTexts(containers: ContainerStore, record: ContainerRecord): readonly string[] {
  return linkedContainers(containers, record).map(({ linked, alias }) => `/${linked.name}:/${record.name}/${alias}`);
}

/** The names `/container/alias` that links give, by the id of the linked container. */
export function linkNames(containers: ContainerStore): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const record of containers.list()) {
    if ((record.hostConfig.Links?.length ?? 0) === 0) continue;
    for (const { linked, alias } of linkedContainers(containers, record))
      names.set(linked.id, [...(names.get(linked.id) ?? []), `/${record.name}/${alias}`]);
  }
  return names;
}

/** The container behind the name `container/alias` that a link gives. Throws NotFoundError. */
export function resolveLink(containers: ContainerStore, path: string): ContainerRecord {
  const [name = "", wanted = ""] = path.replace(/^\//, "").split("/");
  const record = containers.lookup(name);
  const link = record && linkedContainers(containers, record).find(({ alias }) => alias === wanted);
  if (!link) throw new NotFoundError(`No such container: ${path}`);
  return link.linked;
}

/** Takes the link `container/alias` away; both containers stay. Throws ConflictError for a container's own name, NotFoundError for no such link. */
export function removeLink({ containers }: Containers, path: string): void {
  const [name = "", alias] = path.replace(/^\//, "").split("/");
  if (alias === undefined) {
    throw new ConflictError("Conflict, cannot remove the default link name of the container");
  }
  const record = containers.resolve(name);
  const kept = linkedContainers(containers, record).filter((link) => link.alias !== alias);
  if (kept.length === linksOf(record.hostConfig).length) throw new NotFoundError(`No such container: ${path}`);
  const Links = kept.map((link) => `${link.linked.id}:${link.alias}`);
  containers.update(record.id, (current) => ({ ...current, hostConfig: { ...current.hostConfig, Links } }));
}

/** The lines of a starting container. Throws ConflictError in Docker's words for a linked container that does not run, or is elsewhere. */
export function linkLines({ containers }: Containers, record: ContainerRecord): readonly HostLine[] {
  return linkedContainers(containers, record).flatMap(({ linked, alias }) => {
    if (!isRunning(linked)) {
      throw new ConflictError(`Cannot link to a non running container: /${linked.name} AS /${record.name}/${alias}`);
    }
    const address = bridgeAddress(linked);
    // One in another's network, or this host's, has no address of its own: Docker takes the link and writes no line.
    if (linked.sandbox === undefined) return [];
    if (address === undefined)
      throw new ConflictError(`Cannot link to /${linked.name}, as it does not belong to the default network`);
    return [{ address, names: linkedNames(linked, alias) }];
  });
}

/** The names that a link's line in hosts has. */
export function linkedNames(linked: ContainerRecord, alias: string): readonly string[] {
  return [...new Set([alias, linked.config.Hostname ?? "", linked.name])].filter((candidate) => candidate !== "");
}

export function bridgeAddress(linked: Pick<ContainerRecord, "sandbox">): string | undefined {
  return linked.sandbox?.endpoints.find(({ networkName }) => networkName === "bridge")?.ipv4;
}
