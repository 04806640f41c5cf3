import type { ContainerContext } from "#engine/containers/container-context.ts";
import { booleanFilter, checkFilters, type Filters, labelsFit } from "#engine/filters.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { membersOf } from "./network-members.ts";
import { isPredefined, type KnownNetwork } from "./network-registry.ts";

type Predicate = (network: KnownNetwork, value: string) => boolean;

/** Of the values of one filter any will do, except labels, which must all be there. */
const PREDICATES: Readonly<Record<string, Predicate>> = {
  name: ({ name }, value) => name.includes(value),
  id: ({ id }, value) => id.includes(value),
  driver: ({ driver }, value) => driver === value,
  scope: (_, value) => value === "local",
  type: ({ name }, value) => isPredefined(name) === (value === "builtin"),
};

/** Networks that all filters let through. Throws InvalidParameterError for a filter or a value that Docker does not know. */
export function listNetworks(context: ContainerContext, filters: Filters): readonly KnownNetwork[] {
  checkFilters(filters, [...Object.keys(PREDICATES), "dangling", "label"]);
  for (const type of filters.get("type") ?? []) {
    if (type !== "builtin" && type !== "custom") throw new InvalidParameterError(`invalid filter: 'type'='${type}'`);
  }
  const dangling = booleanFilter(filters, "dangling");
  const isDangling = ({ id, name }: KnownNetwork): boolean =>
    !isPredefined(name) && membersOf(context, id).length === 0;
  return context.networks.list().filter(
    (network) =>
      Object.entries(PREDICATES).every(([name, fits]) => {
        const values = filters.get(name);
        return !values || values.some((value) => fits(network, value));
      }) &&
      labelsFit(filters, network.record?.labels ?? network.config?.Labels) &&
      (dangling === undefined || isDangling(network) === dangling),
  );
}
