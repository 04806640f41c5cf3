import { describe, expect, test } from "bun:test";
import { type DecodedPacket, decode, encode, type Packet, type RecordType, TRUNCATED_RESPONSE } from "dns-packet";
import fc from "fast-check";
import { answerQuery, failure, readQuery, udpBytes } from "./answer-query.ts";
import type { NameRecord } from "./name-record.ts";
import { NameTable } from "./name-table.ts";

const NAMES = ["web", "www"];
const ASKER: NameRecord = {
  containerId: "web",
  netnsPath: "",
  serial: "1",
  networks: [{ id: "1", name: "net", ipv4: "10.0.0.2", ipv6: "fd00::2", names: NAMES, links: {} }],
  servers: [],
};

function query(type: RecordType, name: string, additionals: Packet["additionals"] = []): DecodedPacket {
  const bytes = encode({ type: "query", id: 7, flags: 256, questions: [{ type, name }], additionals });
  return readQuery(bytes)!;
}

function answers(type: RecordType, name: string, table = tableWith()): Packet["answers"] {
  return answerQuery(query(type, name), ASKER, table)?.answers;
}

function tableWith(...more: readonly NameRecord[]): NameTable {
  const table = new NameTable();
  for (const record of [ASKER, ...more]) table.set(record);
  return table;
}

describe("answerQuery()", () => {
  test("answers for addresses of both families and back", () => {
    expect(answers("A", "web")).toEqual([{ type: "A", name: "web", ttl: 600, data: "10.0.0.2" }]);
    expect(answers("AAAA", "www.net")).toEqual([{ type: "AAAA", name: "www.net", ttl: 600, data: "fd00::2" }]);
    const reverse6 = `2.${"0.".repeat(27)}0.0.d.f.ip6.arpa`;
    for (const name of ["2.0.0.10.in-addr.arpa", reverse6]) {
      expect(answers("PTR", name)).toEqual([{ type: "PTR", name, ttl: 600, data: "web.net" }]);
    }
  });

  test("has no record, and no error either, for a name without an address of the family or of another type", () => {
    const only4 = { ...ASKER, networks: [{ ...ASKER.networks[0]!, ipv6: "" }] };
    const table = tableWith(only4);
    expect(answerQuery(query("AAAA", "web"), only4, table)).toMatchObject({ id: 7, type: "response", answers: [] });
    expect(answers("MX", "web")).toEqual([]);
  });

  test.each<[RecordType, string]>([
    ["A", "example.org"],
    ["A", "web.other"],
    ["PTR", "9.9.9.9.in-addr.arpa"],
    ["PTR", "x.in-addr.arpa"],
    ["PTR", "web"],
  ])("leaves %s %s to others", (type, name) => {
    expect(answers(type, name)).toBeUndefined();
  });

  test("the answer over UDP says that it is cut where it does not fit, and fits where the client takes more", () => {
    const many = Array.from({ length: 60 }, (_, index) => ({
      ...ASKER,
      containerId: `c${index}`,
      networks: [{ ...ASKER.networks[0]!, ipv4: `10.0.1.${index}` }],
    }));
    const table = tableWith(...many);
    const plain = query("A", "www");
    const short = decode(udpBytes(plain, answerQuery(plain, ASKER, table)!));
    expect(short.flags! & TRUNCATED_RESPONSE).toBe(TRUNCATED_RESPONSE);
    expect(short.answers).toEqual([]);
    const opt = {
      type: "OPT" as const,
      name: ".",
      udpPayloadSize: 1232,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    };
    const wide = query("A", "www", [opt]);
    const long = decode(udpBytes(wide, answerQuery(wide, ASKER, table)!));
    expect(long.answers?.length).toBe(61);
    expect(long.additionals?.map(({ type }) => type)).toEqual(["OPT"]);
  });

  test("failure() is SERVFAIL for the same question", () => {
    expect(decode(encode(failure(query("A", "x"))))).toMatchObject({
      id: 7,
      rcode: "SERVFAIL",
      questions: [{ name: "x" }],
    });
  });
});

test("readQuery() takes no answers, no empty questions and never throws", () => {
  expect(readQuery(encode({ type: "response", questions: [{ type: "A", name: "x" }] }))).toBeUndefined();
  expect(readQuery(encode({ type: "query", questions: [] }))).toBeUndefined();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      readQuery(Buffer.from(bytes));
    }),
  );
});
