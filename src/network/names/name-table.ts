import type { NameRecord, NetworkNames } from "./name-record.ts";

/** The addresses of a name. Both lists may be empty only if the name is unknown. */
export interface NamedAddresses {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** All names of an engine's networks. What a container may look up are the names of the networks that it is on itself. */
export class NameTable {
  readonly #records = new Map<string, NameRecord>();
  /** Places by network id and lower-case name. */
  readonly #byName = new Map<string, Map<string, Set<NetworkNames>>>();

  get size(): number {
    return this.#records.size;
  }

  get(containerId: string): NameRecord | undefined {
    return this.#records.get(containerId);
  }

  containerIds(): readonly string[] {
    return [...this.#records.keys()];
  }

  /** Adds a container, or replaces what is known of it. */
  set(record: NameRecord): void {
    this.delete(record.containerId);
    this.#records.set(record.containerId, record);
    for (const place of record.networks) {
      const names = this.#byName.get(place.id) ?? new Map<string, Set<NetworkNames>>();
      this.#byName.set(place.id, names);
      for (const name of place.names.map(lower)) names.set(name, (names.get(name) ?? new Set()).add(place));
    }
  }

  delete(containerId: string): void {
    const record = this.#records.get(containerId);
    this.#records.delete(containerId);
    for (const place of record?.networks ?? []) {
      const names = this.#byName.get(place.id);
      for (const name of place.names.map(lower)) {
        const places = names?.get(name);
        places?.delete(place);
        if (places?.size === 0) names?.delete(name);
      }
      if (names?.size === 0) this.#byName.delete(place.id);
    }
  }

  /**
   * What a name means to a container: on its first network that knows it, a link before a name; `NAME.NETWORK` means that network alone.
   * Undefined if no container is called so.
   */
  lookup(asker: NameRecord, name: string): NamedAddresses | undefined {
    const wanted = lower(name);
    for (const network of asker.networks) {
      const found = this.#onNetwork(network, wanted);
      if (found) return found;
    }
    // Names of both may have dots.
    for (const network of asker.networks) {
      const end = `.${lower(network.name)}`;
      const found = wanted.endsWith(end) ? this.#onNetwork(network, wanted.slice(0, -end.length)) : undefined;
      if (found) return found;
    }
    return undefined;
  }

  /** The name of the container with this address, with its network's: what Docker's PTR records say. */
  reverse(asker: NameRecord, address: string): string | undefined {
    for (const network of asker.networks) {
      for (const places of this.#byName.get(network.id)?.values() ?? []) {
        for (const { ipv4, ipv6, names } of places) {
          if (ipv4 === address || ipv6 === address) return `${names[0]}.${network.name}`;
        }
      }
    }
    return undefined;
  }

  #onNetwork(network: NetworkNames, name: string): NamedAddresses | undefined {
    const link = Object.entries(network.links).find(([alias]) => lower(alias) === name)?.[1];
    const places = [...(this.#byName.get(network.id)?.get(lower(link ?? name)) ?? [])];
    if (places.length === 0) return undefined;
    return {
      ipv4: places.map(({ ipv4 }) => ipv4).filter(isThere),
      ipv6: places.map(({ ipv6 }) => ipv6).filter(isThere),
    };
  }
}

function isThere(address: string): boolean {
  return address !== "";
}

function lower(name: string): string {
  return name.toLowerCase();
}
