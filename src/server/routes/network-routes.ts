import type { Engine } from "#engine/engine.ts";
import { connectContainer, disconnectContainer } from "#engine/networks/connect-container.ts";
import { createNetwork } from "#engine/networks/create-network.ts";
import { listNetworks } from "#engine/networks/list-networks.ts";
import { membersOf } from "#engine/networks/network-members.ts";
import { pruneNetworks, removeNetwork } from "#engine/networks/remove-network.ts";
import { NotFoundError } from "#errors/errors.ts";
import { decodeNetworkConnect, decodeNetworkCreate, decodeNetworkDisconnect } from "../decode/network-requests.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";
import { networkView } from "../views/network-view.ts";

/** Networks and who is on them. */
export function networkRoutes(engine: Engine): readonly Route[] {
  return [
    ["GET", "/networks", (request) => list(engine, request)],
    ["GET", "/networks/", (request) => list(engine, request)],
    ["POST", "/networks/create", (request) => create(engine, request)],
    ["POST", "/networks/prune", (request) => prune(engine, request)],
    ["GET", "/networks/{id}", (request) => inspect(engine, request)],
    ["POST", "/networks/{id}/connect", (request) => connect(engine, request)],
    ["POST", "/networks/{id}/disconnect", (request) => disconnect(engine, request)],
    ["DELETE", "/networks/{id}", (request) => remove(engine, request)],
  ];
}

async function list(engine: Engine, request: RequestContext): Promise<void> {
  await settleBridge(engine);
  const networks = listNetworks(engine.containers, request.filters());
  // Before API 1.28 the list told of the containers too.
  const detailed = request.isBefore("1.28");
  request.sendJson(
    200,
    networks.map((network) => networkView(network, detailed ? membersOf(engine.containers, network.id) : [])),
  );
}

async function inspect(engine: Engine, request: RequestContext): Promise<void> {
  const scope = request.text("scope");
  // Services are all it would tell more of, and those are of swarm; but it must be a boolean.
  request.strictFlag("verbose");
  const network = engine.containers.networks.resolve(request.param("id"));
  if (scope !== "" && scope !== "local") throw new NotFoundError(`network ${request.param("id")} not found`);
  await settleBridge(engine);
  const settled = engine.containers.networks.resolve(network.id);
  request.sendJson(200, networkView(settled, membersOf(engine.containers, network.id)));
}

async function create(engine: Engine, request: RequestContext): Promise<void> {
  const { id } = await createNetwork(engine.containers, await request.json(decodeNetworkCreate));
  request.sendJson(201, { Id: id, Warning: "" });
}

async function connect(engine: Engine, request: RequestContext): Promise<void> {
  const { Container, EndpointConfig } = await request.json(decodeNetworkConnect);
  await connectContainer(engine.containers, request.param("id"), Container, EndpointConfig ?? {});
  request.sendEmpty(200);
}

async function disconnect(engine: Engine, request: RequestContext): Promise<void> {
  const { Container, Force } = await request.json(decodeNetworkDisconnect);
  await disconnectContainer(engine.containers, request.param("id"), Container, Force ?? false);
  request.sendEmpty(200);
}

async function remove(engine: Engine, request: RequestContext): Promise<void> {
  await removeNetwork(engine.containers, request.param("id"));
  request.sendEmpty(204);
}

async function prune(engine: Engine, request: RequestContext): Promise<void> {
  const removed = await pruneNetworks(engine.containers, request.filters());
  request.sendJson(200, { NetworksDeleted: removed.length > 0 ? removed : null });
}

/** Tells the default bridge's addresses only once they are chosen. */
async function settleBridge({ containers: { networks } }: Engine): Promise<void> {
  const bridge = networks.defaultBridge();
  if (bridge && [bridge.ipv4, bridge.ipv6].some((block) => block?.gateway === "")) await networks.ready(bridge);
}
