import { expect, test } from "bun:test";
import { readNetworkRecord } from "./read-network-record.ts";

test("readNetworkRecord() brings the default bridge of old to the present form", () => {
  const rest = {
    id: "n".repeat(64),
    name: "bridge",
    driver: "bridge",
    internal: false,
    options: {},
    labels: {},
    created: 5,
  };
  const old = { ...rest, subnet: "172.17.0.0/16", gateway: "172.17.0.1", bridgeName: "berth-main" };
  const record = readNetworkRecord(JSON.stringify(old));
  expect(record).toEqual({
    ...rest,
    driver: "bridge",
    ipv4: { subnet: "172.17.0.0/16", gateway: "172.17.0.1", auxiliary: {}, chosen: true },
    ipv6: undefined,
    interfaceName: "berth-main",
    attachable: false,
  });
  expect(readNetworkRecord(JSON.stringify(record))).toEqual(JSON.parse(JSON.stringify(record)));
});
