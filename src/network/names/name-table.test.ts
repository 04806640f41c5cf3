import { describe, expect, test } from "bun:test";
import type { NameRecord, NetworkNames } from "./name-record.ts";
import { NameTable } from "./name-table.ts";

function place(
  id: string,
  ipv4: string,
  names: readonly string[],
  overrides: Partial<NetworkNames> = {},
): NetworkNames {
  return { id, name: `net-${id}`, ipv4, ipv6: "", names, links: {}, ...overrides };
}

function record(containerId: string, ...networks: readonly NetworkNames[]): NameRecord {
  return { containerId, netnsPath: "", serial: "1", networks, servers: [] };
}

function tableOf(...records: readonly NameRecord[]): NameTable {
  const table = new NameTable();
  for (const one of records) table.set(one);
  return table;
}

describe("NameTable.lookup()", () => {
  const web = record("web", place("1", "10.0.0.2", ["web", "www"], { ipv6: "fd00::2" }));
  const other = record("other", place("1", "10.0.0.3", ["other", "www"]));
  const far = record("far", place("2", "10.0.1.2", ["far"]));

  test("finds names and aliases of the asker's networks, in any case, and of no others", () => {
    const table = tableOf(web, other, far);
    expect(table.lookup(other, "WEB")).toEqual({ ipv4: ["10.0.0.2"], ipv6: ["fd00::2"] });
    expect(table.lookup(other, "www")?.ipv4).toEqual(["10.0.0.2", "10.0.0.3"]);
    expect(table.lookup(other, "far")).toBeUndefined();
    expect(table.lookup(far, "web")).toBeUndefined();
  });

  test("takes NAME.NETWORK for that network alone", () => {
    const both = record("both", place("1", "10.0.0.4", ["both"]), place("2", "10.0.1.4", ["both"]));
    const table = tableOf(web, far, both);
    expect(table.lookup(both, "both")?.ipv4).toEqual(["10.0.0.4"]);
    expect(table.lookup(both, "both.net-2")?.ipv4).toEqual(["10.0.1.4"]);
    expect(table.lookup(both, "web.net-2")).toBeUndefined();
    expect(table.lookup(web, "far.net-2")).toBeUndefined();
    const dotted = record("dotted", place("3", "10.0.2.2", ["c1.web"], { name: "br.net" }));
    const asker = record("asker", place("3", "10.0.2.3", [], { name: "br.net" }));
    const names = tableOf(dotted, asker);
    expect(names.lookup(asker, "C1.web.br.net")?.ipv4).toEqual(["10.0.2.2"]);
    expect(names.lookup(asker, "c1.web.net")).toBeUndefined();
    expect(names.lookup(asker, "br.net")).toBeUndefined();
  });

  test("follows the asker's own links, before names", () => {
    const linked = record("linked", place("1", "10.0.0.5", ["linked"], { links: { db: "web", other: "web" } }));
    const table = tableOf(web, other, linked);
    expect(table.lookup(linked, "db")?.ipv4).toEqual(["10.0.0.2"]);
    expect(table.lookup(linked, "other")?.ipv4).toEqual(["10.0.0.2"]);
    expect(table.lookup(other, "db")).toBeUndefined();
  });

  test("forgets what is replaced or deleted", () => {
    const table = tableOf(web, other);
    table.set(record("web", place("1", "10.0.0.9", ["renamed"])));
    expect(table.lookup(other, "web")).toBeUndefined();
    expect(table.lookup(other, "www")?.ipv4).toEqual(["10.0.0.3"]);
    expect(table.lookup(other, "renamed")?.ipv4).toEqual(["10.0.0.9"]);
    table.delete("web");
    table.delete("web");
    expect(table.lookup(other, "renamed")).toBeUndefined();
    expect(table.size).toBe(1);
  });
});

test("NameTable.reverse() gives the first name and the network, for the asker's networks alone", () => {
  const web = record("web", place("1", "10.0.0.2", ["web", "www"], { ipv6: "fd00::2" }));
  const far = record("far", place("2", "10.0.1.2", ["far"]));
  const table = tableOf(web, far);
  expect(table.reverse(web, "10.0.0.2")).toBe("web.net-1");
  expect(table.reverse(web, "fd00::2")).toBe("web.net-1");
  expect(table.reverse(far, "10.0.0.2")).toBeUndefined();
});
