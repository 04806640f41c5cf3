import { randomBytes } from "node:crypto";
import { NotFoundError } from "#errors/errors.ts";
import type { NetworkRecord } from "#network/network-driver.ts";
import type { BridgeChoice } from "#network/subnet-choice.ts";
import type { Database } from "#store/database.ts";

/** Docker's predefined networks; only the bridge has state of its own. */
export type NetworkTarget =
  | { readonly kind: "bridge"; readonly network: NetworkRecord }
  | { readonly kind: "none" }
  | { readonly kind: "host" }
  | { readonly kind: "container"; readonly container: string };

/** The networks of one engine. User-defined ones will be further rows of the same table. */
export class NetworkRegistry {
  readonly #database: Database;
  readonly #chooseBridge: () => Promise<BridgeChoice>;
  #bridge: Promise<NetworkRecord> | undefined;

  /** `chooseBridge` finds a free subnet; it is asked once in the life of a data root. */
  constructor(database: Database, chooseBridge: () => Promise<BridgeChoice>) {
    this.#database = database;
    this.#chooseBridge = chooseBridge;
  }

  /** The default bridge network, made on first use. */
  bridge(): Promise<NetworkRecord> {
    this.#bridge ??= this.#loadBridge();
    return this.#bridge;
  }

  /** Networks with state that exist already; nothing is made. */
  known(): NetworkRecord[] {
    return this.#database
      .statement("SELECT record FROM networks")
      .all()
      .map((row) => JSON.parse(String(row["record"])));
  }

  /** What a HostConfig.NetworkMode means. Throws NotFoundError in Docker's words. */
  async target(mode: string): Promise<NetworkTarget> {
    if (mode === "" || mode === "default" || mode === "bridge") return { kind: "bridge", network: await this.bridge() };
    if (mode === "none") return { kind: "none" };
    if (mode === "host") return { kind: "host" };
    if (mode.startsWith("container:")) return { kind: "container", container: mode.slice("container:".length) };
    throw new NotFoundError(`network ${mode} not found`);
  }

  async #loadBridge(): Promise<NetworkRecord> {
    const row = this.#database.statement("SELECT record FROM networks WHERE name = 'bridge'").get();
    if (row) return JSON.parse(String(row["record"]));
    const record: NetworkRecord = {
      id: randomBytes(32).toString("hex"),
      name: "bridge",
      driver: "bridge",
      ...(await this.#chooseBridge()),
      internal: false,
      options: {},
      labels: {},
      created: Date.now(),
    };
    this.#database
      .statement("INSERT INTO networks (id, name, record) VALUES (?, ?, ?)")
      .run(record.id, record.name, JSON.stringify(record));
    return record;
  }
}

/** Ids of the networks that have no state: fixed, as they are the same in every engine. */
export const STATELESS_NETWORK_ID: { readonly none: string; readonly host: string } = {
  none: `${"0".repeat(63)}1`,
  host: `${"0".repeat(63)}2`,
};
