import { type Decoder, list, map, object, text, textList } from "#lib/json-decoder.ts";

/** Where containers on user-defined networks find their name service: in /etc/resolv.conf, at port 53. */
export const NAME_SERVER_ADDRESS = "127.0.0.11";

/**
 * Where the name service listens at that address, in each container's own namespace. nft leads port 53 there, which stays free for a name
 * server that the container itself runs. Above the ports that the kernel gives to clients.
 */
export const NAME_SERVER_PORT = 61_053;

/** How the names of records end. */
export const RECORD_SUFFIX = ".json";

/** What the name service knows of a container. The engine writes it into a file; the service reads it and answers that container. */
export interface NameRecord {
  readonly containerId: string;
  readonly netnsPath: string;
  /** Tells one state of the record from the next. */
  readonly serial: string;
  /** The user-defined networks that it is on, the one that leads outside first. */
  readonly networks: readonly NetworkNames[];
  /** Servers for all other names, in the order in which they are asked; none where the container has no way out. */
  readonly servers: readonly string[];
}

/** A container's place on a network. */
export interface NetworkNames {
  readonly id: string;
  readonly name: string;
  /** "" for none. */
  readonly ipv4: string;
  readonly ipv6: string;
  /** The first one is what the address leads back to. */
  readonly names: readonly string[];
  /** What others of the network are called by this container alone: alias → name. */
  readonly links: Readonly<Record<string, string>>;
}

const networkNames = object<NetworkNames>(
  { id: text, name: text, ipv4: text, ipv6: text, names: textList, links: map(text, "") },
  { id: "", name: "", ipv4: "", ipv6: "", names: [], links: {} },
);

/** Reads a record back. Throws InvalidParameterError. */
export const decodeNameRecord: Decoder<NameRecord> = object<NameRecord>(
  { containerId: text, netnsPath: text, serial: text, networks: list(networkNames), servers: textList },
  { containerId: "", netnsPath: "", serial: "", networks: [], servers: [] },
);
