import {
  type Answer,
  type DecodedPacket,
  decode,
  encode,
  type Packet,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from "dns-packet";
import { formatAddress, parseAddress } from "#lib/ip-address.ts";
import type { NameRecord } from "./name-record.ts";
import type { NameTable } from "./name-table.ts";

/** Seconds that clients may keep an answer: Docker's. */
const TTL = 600;
/** What a client without EDNS takes, in bytes. RFC 1035, 4.2.1. */
const PLAIN_UDP_SIZE = 512;
/** The largest answer over UDP, whatever the client says: what fits into a packet of most links. https://www.dnsflagday.net/2020/ */
const MAX_UDP_SIZE = 1232;
const SERVER_FAILURE = 2;
/** Without the bit for authority, as Docker's. */
const RESPONSE_FLAGS = RECURSION_DESIRED | RECURSION_AVAILABLE;

/** A query as it came. Undefined for what is none: it gets no answer. */
export function readQuery(bytes: Buffer): DecodedPacket | undefined {
  try {
    const packet = decode(bytes);
    return packet.type === "query" && packet.questions?.length === 1 ? packet : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The answer to a query for a container's name or address; undefined when it is for none, and has to be forwarded. A name that a container has but
 * no address of the family is an empty answer and no error: the client then asks for the other family. https://datatracker.ietf.org/doc/html/rfc4074#section-4.2
 */
export function answerQuery(query: DecodedPacket, asker: NameRecord, names: NameTable): Packet | undefined {
  const question = query.questions?.[0];
  if (!question) return undefined;
  const { name, type } = question;
  if (type === "PTR") {
    const address = addressOf(name);
    const owner = address === undefined ? undefined : names.reverse(asker, address);
    return owner === undefined ? undefined : response(query, [{ name, type, ttl: TTL, data: owner }]);
  }
  const found = names.lookup(asker, name);
  if (!found) return undefined;
  const data = type === "A" ? found.ipv4 : type === "AAAA" ? found.ipv6 : [];
  // Clients take the first one: each container of an alias gets its share.
  const answers = shuffled(data).map(
    (address): Answer => ({ name, type: type === "A" ? "A" : "AAAA", ttl: TTL, data: address }),
  );
  return response(query, answers);
}

/** The answer when nobody could be asked, or nobody answered. */
export function failure(query: DecodedPacket): Packet {
  return response(query, [], RESPONSE_FLAGS | SERVER_FAILURE);
}

/** The bytes of an answer over UDP: one that does not fit says so, and the client asks again over TCP. */
export function udpBytes(query: DecodedPacket, answer: Packet): Buffer {
  const bytes = encode(answer);
  if (bytes.length <= udpSize(query)) return bytes;
  return encode({ ...answer, flags: (answer.flags ?? 0) | TRUNCATED_RESPONSE, answers: [] });
}

function udpSize({ additionals }: DecodedPacket): number {
  for (const record of additionals ?? []) {
    if (record.type === "OPT" && "udpPayloadSize" in record)
      return Math.min(Math.max(record.udpPayloadSize, PLAIN_UDP_SIZE), MAX_UDP_SIZE);
  }
  return PLAIN_UDP_SIZE;
}

function response(query: DecodedPacket, answers: Answer[], flags = RESPONSE_FLAGS): Packet {
  const hasEdns = query.additionals?.some(({ type }) => type === "OPT") ?? false;
  return {
    type: "response",
    ...(query.id === undefined ? {} : { id: query.id }),
    flags,
    ...(query.questions ? { questions: query.questions } : {}),
    answers,
    additionals: hasEdns
      ? [
          {
            type: "OPT",
            name: ".",
            udpPayloadSize: MAX_UDP_SIZE,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ]
      : [],
  };
}

/** The address that `4.3.2.1.in-addr.arpa` or a name below ip6.arpa stands for. RFC 1035, 3.5; RFC 3596, 2.5. */
function addressOf(name: string): string | undefined {
  const labels = name.toLowerCase().split(".");
  const suffix = labels.splice(-2).join(".");
  const digits = labels.reverse();
  if (suffix === "in-addr.arpa" && digits.length === 4) return canonical(digits.join("."));
  if (suffix !== "ip6.arpa" || digits.length !== 32) return undefined;
  return canonical(digits.join("").replace(/(.{4})(?=.)/g, "$1:"));
}

function canonical(text: string): string | undefined {
  const address = parseAddress(text);
  return address && formatAddress(address);
}

function shuffled(addresses: readonly string[]): readonly string[] {
  const result = [...addresses];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [result[last], result[other]] = [result[other] ?? "", result[last] ?? ""];
  }
  return result;
}
