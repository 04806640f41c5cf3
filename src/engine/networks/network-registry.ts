import { ForbiddenError, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { HoldCounter } from "#lib/hold-counter.ts";
import { DEFAULT_NETWORK, type NetworkDriver, type NetworkRecord } from "#network/network-driver.ts";
import type { Database } from "#store/database.ts";
import type { ConfigNetwork } from "./config-network.ts";
import { readNetworkRecord } from "./read-network-record.ts";

/** A network as the API knows it. `record` is undefined for host and none, which have nothing of their own. */
export interface KnownNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly record: NetworkRecord | undefined;
  /** Of a network that only lends its configuration. */
  readonly config?: ConfigNetwork;
}

export interface NetworkRegistryOptions {
  readonly database: Database;
  readonly driver: NetworkDriver;
}

/** The networks that have no state. Their ids are fixed, as they are the same in every engine. */
const STATELESS: readonly Omit<KnownNetwork, "created">[] = [
  {
    id: "5accd5297b035a9422f48049064e4bdb28b38992a0000c87adc54762614d79bf",
    name: "host",
    driver: "host",
    record: undefined,
  },
  {
    id: "cc1c7fc0365da1714d25b04ddea899cd93c7b540ddbc7743f9e1b24ca50c74e4",
    name: "none",
    driver: "null",
    record: undefined,
  },
];

/** The networks of one engine: in memory for look-up, in the database before any change is told. */
export class NetworkRegistry {
  readonly #database: Database;
  readonly #driver: NetworkDriver;
  readonly #records = new Map<string, NetworkRecord>();
  readonly #configs = new Map<string, ConfigNetwork>();
  /** Networks that something is being connected to: none of them goes meanwhile. */
  readonly #uses = new HoldCounter();
  readonly #started = Date.now();

  constructor({ database, driver }: NetworkRegistryOptions) {
    this.#database = database;
    this.#driver = driver;
    for (const row of database.statement("SELECT record FROM networks").all()) {
      const record = readNetworkRecord(String(row["record"]));
      if ("configOnly" in record) this.#configs.set(record.id, record);
      else this.#records.set(record.id, record);
    }
  }

  /** The default bridge network; its addresses are empty before its first use. Throws NotFoundError where the engine is to have none. */
  bridge(): NetworkRecord {
    const bridge = this.defaultBridge();
    if (!bridge) throw notFound(DEFAULT_NETWORK);
    return bridge;
  }

  /** As `bridge`; undefined where there is none. */
  defaultBridge(): NetworkRecord | undefined {
    for (const record of this.#records.values()) if (record.name === DEFAULT_NETWORK) return record;
    return undefined;
  }

  /** Start-up: makes this the default bridge network, in place of the one there was. It is written down when it is made, but for changes of one that is. */
  setDefaultBridge(record: NetworkRecord | undefined): void {
    const before = this.defaultBridge();
    if (before && before.id !== record?.id) this.#forget(before.id);
    if (!record) return;
    if (before?.id === record.id && JSON.stringify(before) !== JSON.stringify(record)) this.#keep(record);
    else this.#records.set(record.id, record);
  }

  /** Networks with state. */
  records(): readonly NetworkRecord[] {
    return [...this.#records.values()];
  }

  /** All networks, the predefined ones too. */
  list(): readonly KnownNetwork[] {
    const created = this.defaultBridge()?.created ?? this.#started;
    const configs = [...this.#configs.values()].map(knownConfig);
    return [...this.records().map(knownNetwork), ...configs, ...STATELESS.map((network) => ({ ...network, created }))];
  }

  /** By id. Throws NotFoundError in Docker's words. */
  get(id: string): NetworkRecord {
    const record = this.#records.get(id);
    if (!record) throw notFound(id);
    return record;
  }

  /** As `lookup`. Throws NotFoundError in Docker's words when there is none. */
  resolve(term: string): KnownNetwork {
    const found = this.lookup(term);
    if (!found) throw notFound(term);
    return found;
  }

  /** By full id, name or unique beginning of an id, in that order, as Docker does. Throws InvalidParameterError when several ids begin so. */
  lookup(term: string): KnownNetwork | undefined {
    const networks = this.list();
    const exact = networks.find(({ id }) => id === term) ?? networks.find(({ name }) => name === term);
    if (exact || term === "") return exact;
    const matches = networks.filter(({ id }) => id.startsWith(term));
    if (matches.length > 1) {
      throw new InvalidParameterError(
        `network ${term} is ambiguous (${matches.length} matches found based on ID prefix)`,
      );
    }
    return matches[0];
  }

  /** The network as it is on this host, made if it is not there yet. Throws what NetworkDriver.ensureNetwork does. */
  async ready(record: NetworkRecord): Promise<NetworkRecord> {
    return this.#driver.ensureNetwork(record, (settled) => this.#keep(settled));
  }

  /** A configuration network by its name. */
  config(name: string): ConfigNetwork | undefined {
    return [...this.#configs.values()].find((config) => config.name === name);
  }

  addConfig(config: ConfigNetwork): KnownNetwork {
    this.#write(config);
    this.#configs.set(config.id, config);
    return knownConfig(config);
  }

  /** Throws ForbiddenError, in Docker's words, while a network has it. */
  removeConfig({ id, name }: ConfigNetwork): void {
    if (this.records().some(({ configFrom }) => configFrom === name))
      throw new ForbiddenError(`error while removing network: configuration network "${name}" is in use`);
    this.#forget(id);
    this.#configs.delete(id);
  }

  /** Makes a new network. On failure nothing stays. */
  async add(record: NetworkRecord): Promise<NetworkRecord> {
    try {
      return await this.ready(record);
    } catch (error) {
      await this.#driver.removeNetwork(record);
      this.#forget(record.id);
      throw error;
    }
  }

  /**
   * Removes a network. The bridge goes before the row: a crash in between leaves a network without a bridge, as a reboot does. Throws
   * ForbiddenError when a container is just being connected.
   */
  async remove(record: NetworkRecord): Promise<void> {
    if (this.#uses.isHeld(record.id)) {
      throw new ForbiddenError(`error while removing network: network ${record.name} has active endpoints`);
    }
    // From here on nobody finds it any more.
    this.#records.delete(record.id);
    try {
      await this.#driver.removeNetwork(record);
      this.#forget(record.id);
    } catch (error) {
      this.#records.set(record.id, record);
      throw error;
    }
  }

  /** Keeps networks from going while something is connected to them. */
  use(records: readonly NetworkRecord[]): Disposable {
    const held = new DisposableStack();
    for (const { id } of records) held.use(this.#uses.hold(id));
    return held;
  }

  #keep(record: NetworkRecord): void {
    this.#write(record);
    this.#records.set(record.id, record);
  }

  #write(record: NetworkRecord | ConfigNetwork): void {
    this.#database
      .statement("INSERT OR REPLACE INTO networks (id, name, record) VALUES (?, ?, ?)")
      .run(record.id, record.name, JSON.stringify(record));
  }

  #forget(id: string): void {
    this.#database.statement("DELETE FROM networks WHERE id = ?").run(id);
    this.#records.delete(id);
  }
}

/** Whether users made the network: only there are names, aliases and addresses of one's own. */
export function isUserDefined(name: string): boolean {
  return !isPredefined(name) && name !== "" && !name.startsWith("container:");
}

export function isPredefined(name: string): boolean {
  return ["bridge", "host", "none", "default"].includes(name);
}

function knownNetwork(record: NetworkRecord): KnownNetwork {
  const { id, name, driver, created } = record;
  return { id, name, driver, created, record };
}

function knownConfig(config: ConfigNetwork): KnownNetwork {
  const { id, name, created } = config;
  return { id, name, driver: "null", created, record: undefined, config };
}

function notFound(term: string): NotFoundError {
  return new NotFoundError(`network ${term} not found`);
}
