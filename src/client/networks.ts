import type { NetworkView } from "#spec/docker-api.ts";
import type { Engine } from "./engine.ts";
import { encodeFilters, type Filters } from "./filters.ts";
import { readJson } from "./response-body.ts";

/** `GET /networks`. */
export async function listNetworks(engine: Engine, filters?: Filters): Promise<readonly NetworkView[]> {
  const query = { filters: encodeFilters(filters) };
  return readJson(await engine.send({ method: "GET", path: "/networks", query }));
}

/** `GET /networks/{id}`. */
export async function inspectNetwork(engine: Engine, id: string, verbose: boolean = false): Promise<NetworkView> {
  return readJson(
    await engine.send({ method: "GET", path: `/networks/${encodeURIComponent(id)}`, query: { verbose } }),
  );
}
