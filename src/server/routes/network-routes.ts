import type { Engine } from "#engine/engine.ts";
import { STATELESS_NETWORK_ID } from "#engine/networks/network-registry.ts";
import { NotFoundError, NotImplementedError } from "#errors/errors.ts";
import type { NetworkView } from "#spec/docker-api.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";

/** The predefined networks. */
export function networkRoutes(engine: Engine): readonly Route[] {
  const notYet = (): never => {
    throw new NotImplementedError(
      "user-defined networks are not supported yet: use bridge, host, none or container:NAME",
    );
  };
  return [
    ["GET", "/networks", (request) => list(engine, request)],
    ["POST", "/networks/create", notYet],
    ["POST", "/networks/prune", (request) => request.sendJson(200, { NetworksDeleted: null })],
    ["GET", "/networks/{id}", (request) => inspect(engine, request)],
    ["POST", "/networks/{id}/connect", notYet],
    ["POST", "/networks/{id}/disconnect", notYet],
    ["DELETE", "/networks/{id}", notYet],
  ];
}

async function list(engine: Engine, request: RequestContext): Promise<void> {
  const filters = request.filters();
  const matches = (network: NetworkView): boolean =>
    [...filters].every(([name, values]) => {
      if (name === "name") return values.some((value) => network.Name.includes(value));
      if (name === "id") return values.some((value) => network.Id.startsWith(value));
      if (name === "driver") return values.includes(network.Driver);
      if (name === "type") return values.includes("builtin");
      if (name === "scope") return values.includes(network.Scope);
      return false;
    });
  request.sendJson(200, (await networkViews(engine)).filter(matches));
}

async function inspect(engine: Engine, request: RequestContext): Promise<void> {
  const wanted = request.param("id");
  const views = await networkViews(engine);
  const found =
    views.find((view) => view.Name === wanted || view.Id === wanted) ??
    views.find((view) => view.Id.startsWith(wanted));
  if (!found) throw new NotFoundError(`network ${wanted} not found`);
  request.sendJson(200, found);
}

async function networkViews(engine: Engine): Promise<NetworkView[]> {
  const bridge = await engine.containers.networks.bridge();
  return [
    {
      ...baseView("bridge", bridge.id, "bridge", bridge.created, [{ Subnet: bridge.subnet, Gateway: bridge.gateway }]),
      Containers: members(engine, bridge.id),
      Options: { "com.docker.network.bridge.name": bridge.bridgeName, ...bridge.options },
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
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: config },
    Internal: false,
    Attachable: false,
    Ingress: false,
    Containers: {},
    Options: {},
    Labels: {},
  };
}
