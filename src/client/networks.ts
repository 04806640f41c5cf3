import type {
  NetworkConnectRequest,
  NetworkCreateRequest,
  NetworkCreateResponse,
  NetworkDisconnectRequest,
  NetworkView,
} from "#spec/docker-networks.ts";
import { drain, readJson } from "./connection/response-body.ts";
import type { Engine } from "./engine.ts";
import { encodeFilters, type Filters } from "./filters.ts";
import { pathName } from "./path-name.ts";

/** `GET /networks`. */
export async function listNetworks(engine: Engine, filters?: Filters): Promise<readonly NetworkView[]> {
  const query = { filters: encodeFilters(filters) };
  return readJson(await engine.send({ method: "GET", path: "/networks", query }));
}

/** `GET /networks/{id}`. */
export async function inspectNetwork(engine: Engine, id: string, verbose: boolean = false): Promise<NetworkView> {
  return readJson(await engine.send({ method: "GET", path: networkPath(id), query: { verbose } }));
}

/** `POST /networks/create`. */
export async function createNetwork(engine: Engine, request: NetworkCreateRequest): Promise<NetworkCreateResponse> {
  return readJson(await engine.send({ method: "POST", path: "/networks/create", body: { json: request } }));
}

/** `DELETE /networks/{id}`. */
export async function removeNetwork(engine: Engine, id: string): Promise<void> {
  await drain(await engine.send({ method: "DELETE", path: networkPath(id) }));
}

/** `POST /networks/{id}/connect`. */
export async function connectNetwork(engine: Engine, id: string, request: NetworkConnectRequest): Promise<void> {
  await drain(await engine.send({ method: "POST", path: `${networkPath(id)}/connect`, body: { json: request } }));
}

/** `POST /networks/{id}/disconnect`. */
export async function disconnectNetwork(engine: Engine, id: string, request: NetworkDisconnectRequest): Promise<void> {
  await drain(await engine.send({ method: "POST", path: `${networkPath(id)}/disconnect`, body: { json: request } }));
}

function networkPath(id: string): string {
  return `/networks/${pathName("network", id)}`;
}
