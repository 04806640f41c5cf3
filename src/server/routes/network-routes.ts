import type { Engine } from "#engine/engine.ts";
import { checkFilters } from "#engine/filters.ts";
import { STATELESS_NETWORK_ID } from "#engine/networks/network-registry.ts";
import { ForbiddenError, NotFoundError, NotImplementedError } from "#errors/errors.ts";
import type { NetworkView } from "#spec/docker-api.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";

/** The predefined networks. */
export function networkRoutes(engine: Engine): readonly Route[] {
  return [
    ["GET", "/networks", (request) => list(engine, request)],
    ["POST", "/networks/create", notYet],
    ["POST", "/networks/prune", (request) => prune(request)],
    ["GET", "/networks/{id}", (request) => inspect(engine, request)],
    ["POST", "/networks/{id}/connect", (request) => changeMembers(engine, request)],
    ["POST", "/networks/{id}/disconnect", (request) => changeMembers(engine, request)],
    ["DELETE", "/networks/{id}", (request) => remove(engine, request)],
  ];
}

function notYet(): never {
  throw new NotImplementedError(
    "user-defined networks are not supported yet: use bridge, host, none or container:NAME",
  );
}

/** The filters of networks. All networks that there are yet are predefined, and those never count as unused. */
const FILTERS: Readonly<Record<string, (network: NetworkView, value: string) => boolean>> = {
  name: (network, value) => network.Name.includes(value),
  id: (network, value) => network.Id.startsWith(value),
  driver: (network, value) => network.Driver === value,
  scope: (network, value) => network.Scope === value,
  type: (_, value) => value === "builtin",
  dangling: (_, value) => ["0", "false"].includes(value),
  label: () => false,
};

async function list(engine: Engine, request: RequestContext): Promise<void> {
  const filters = request.filters();
  checkFilters(filters, Object.keys(FILTERS));
  const views = await networkViews(engine);
  request.sendJson(
    200,
    views.filter((network) =>
      [...filters].every(([name, values]) => values.some((value) => FILTERS[name]?.(network, value))),
    ),
  );
}

async function inspect(engine: Engine, request: RequestContext): Promise<void> {
  request.sendJson(200, await find(engine, request.param("id")));
}

/** By name, id or the beginning of an id, in that order. Throws NotFoundError. */
async function find(engine: Engine, wanted: string): Promise<NetworkView> {
  const views = await networkViews(engine);
  const found =
    views.find((view) => view.Name === wanted) ??
    views.find((view) => view.Id === wanted) ??
    views.find((view) => view.Id.startsWith(wanted));
  if (!found) throw new NotFoundError(`network ${wanted} not found`);
  return found;
}

async function changeMembers(engine: Engine, request: RequestContext): Promise<void> {
  await find(engine, request.param("id"));
  notYet();
}

async function remove(engine: Engine, request: RequestContext): Promise<void> {
  const { Name } = await find(engine, request.param("id"));
  throw new ForbiddenError(`${Name} is a pre-defined network and cannot be removed`);
}

function prune(request: RequestContext): void {
  checkFilters(request.filters(), ["label", "label!", "until"]);
  request.sendJson(200, { NetworksDeleted: null });
}

async function networkViews(engine: Engine): Promise<NetworkView[]> {
  const bridge = await engine.containers.networks.bridge();
  return [
    {
      ...baseView("bridge", bridge.id, "bridge", bridge.created, [{ Subnet: bridge.subnet, Gateway: bridge.gateway }]),
      Containers: members(engine, bridge.id),
      Options: {
        "com.docker.network.bridge.default_bridge": "true",
        "com.docker.network.bridge.enable_icc": "true",
        "com.docker.network.bridge.enable_ip_masquerade": "true",
        "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
        "com.docker.network.bridge.name": bridge.bridgeName,
        "com.docker.network.driver.mtu": "1500",
        ...bridge.options,
      },
    },
    baseView("host", STATELESS_NETWORK_ID.host, "host", bridge.created, []),
    baseView("none", STATELESS_NETWORK_ID.none, "null", bridge.created, []),
  ];
}

function members(engine: Engine, networkId: string): NonNullable<NetworkView["Containers"]> {
  const connected = engine.containers.containers.list().filter((record) => record.endpoint?.networkId === networkId);
  return Object.fromEntries(
    connected.map(({ id, name, endpoint }) => [
      id,
      {
        Name: name,
        EndpointID: endpoint?.endpointId ?? "",
        MacAddress: endpoint?.macAddress ?? "",
        IPv4Address: `${endpoint?.ipv4}/${endpoint?.prefixLength}`,
        IPv6Address: "",
      },
    ]),
  );
}

function baseView(
  name: string,
  id: string,
  driver: string,
  created: number,
  config: NetworkView["IPAM"]["Config"],
): NetworkView {
  return {
    Name: name,
    Id: id,
    Created: new Date(created).toISOString(),
    Scope: "local",
    Driver: driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: config },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: {},
    Options: {},
    Labels: {},
  };
}
