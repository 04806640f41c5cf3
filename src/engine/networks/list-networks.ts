import type { ContainerContext } from "#engine/containers/container-context.ts";
import { checkFilters, expressionFilter, type Filters, labelsFit } from "#engine/filters.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { membersOf } from "./network-members.ts";
import { isPredefined, type KnownNetwork } from "./network-registry.ts";

type Predicate = (network: KnownNetwork, value: string) => boolean;

/** Of the values of one filter any will do, except labels, which must all be there. */
const PREDICATES: Readonly<Record<string, Predicate>> = {
  driver: ({ driver }, value) => driver === value,
  scope: (_, value) => value === "local",
  type: ({ name }, value) => isPredefined(name) === (value === "builtin"),
};

/** Networks that all filters let through. Throws InvalidParameterError for a filter or a value that Docker does not know. */
export function listNetworks(context: ContainerContext, filters: Filters): readonly KnownNetwork[] {
  checkFilters(filters, [...Object.keys(PREDICATES), "dangling", "id", "label", "name"]);
  for (const type of filters.get("type") ?? []) {
    if (type !== "builtin" && type !== "custom") throw new InvalidParameterError(`invalid filter: 'type'='${type}'`);
  }
  const dangling = danglingFilter(filters);
  const nameFits = expressionFilter(filters, "name");
  const idFits = expressionFilter(filters, "id");
  const isDangling = ({ id, name }: KnownNetwork): boolean =>
    !isPredefined(name) && membersOf(context, id).length === 0;
  return context.networks.list().filter(
    (network) =>
      Object.entries(PREDICATES).every(([name, fits]) => {
        const values = filters.get(name);
        return !values?.length || values.some((value) => fits(network, value));
      }) &&
      nameFits(network.name) &&
      idFits(network.id) &&
      labelsFit(filters, network.record?.labels ?? network.config?.Labels) &&
      (dangling === undefined || isDangling(network) === dangling),
  );
}

/** Networks have words of their own for it: https://github.com/moby/moby/blob/v28.2.2/daemon/network/filter.go. Throws InvalidParameterError. */
function danglingFilter(filters: Filters): boolean | undefined {
  const [value, ...others] = filters.get("dangling") ?? [];
  if (others.length > 0) throw new InvalidParameterError('got more than one value for filter key "dangling"');
  if (value === undefined) return undefined;
  if (value === "1" || value === "true") return true;
  if (value === "0" || value === "false") return false;
  throw new InvalidParameterError(
    'invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")',
  );
}
