import { describe, expect, test } from "bun:test";
import { readContainerRecord } from "./read-container-record.ts";

/** As Berth wrote records before there were several networks. */
function oldRecord(mode: string, endpoint?: Record<string, unknown>): string {
  return JSON.stringify({
    id: "c".repeat(64),
    name: "web",
    created: 1,
    imageId: `sha256:${"0".repeat(64)}`,
    imageName: "busybox",
    config: {},
    hostConfig: { NetworkMode: mode },
    endpointRequests: {},
    mounts: [],
    state: { phase: "running" },
    ...(endpoint ? { endpoint } : {}),
  });
}

const ENDPOINT = {
  containerId: "c".repeat(64),
  endpointId: "e".repeat(64),
  networkId: "n".repeat(64),
  netnsPath: "/run/berth/netns/c",
  hostInterface: "vmain00000000",
  ipv4: "172.17.0.2",
  prefixLength: 16,
  gateway: "172.17.0.1",
  macAddress: "02:42:ac:11:00:02",
  ports: [{ containerPort: 80, protocol: "tcp", hostIp: "0.0.0.0", hostPort: 8080 }],
};

describe("readContainerRecord()", () => {
  test("makes a sandbox of the one endpoint of old", () => {
    const record = readContainerRecord(oldRecord("bridge", ENDPOINT));
    expect(record).not.toHaveProperty("endpoint");
    expect(record.endpointRequests).toEqual({ bridge: {} });
    expect(record.sandbox).toMatchObject({
      netnsPath: "/run/berth/netns/c",
      ports: ENDPOINT.ports,
      endpoints: [
        { networkId: ENDPOINT.networkId, networkName: "bridge", interfaceName: "eth0", ipv4: "172.17.0.2", ipv6: "" },
      ],
    });
  });

  test("has no endpoint for none, and no network for another's", () => {
    const alone = readContainerRecord(oldRecord("none", { ...ENDPOINT, networkId: "", ipv4: "" }));
    expect([alone.endpointRequests, alone.sandbox?.endpoints]).toEqual([{ none: {} }, []]);
    expect(readContainerRecord(oldRecord("container:x")).endpointRequests).toEqual({});
  });

  test("leaves a present record as it is", () => {
    const record = { ...JSON.parse(oldRecord("net")), endpointRequests: { net: { Aliases: ["a"] } } };
    expect(readContainerRecord(JSON.stringify(record))).toEqual(record);
  });
});
