import { describe, expect, test } from "bun:test";
import { parsePort, portRequests } from "./port-requests.ts";

describe("portRequests()", () => {
  test("gives the bindings, and with PublishAllPorts the exposed ports that have none", () => {
    const hostConfig = {
      PublishAllPorts: true,
      PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }], "53/udp": [{ HostIp: "", HostPort: "" }] },
    };
    const config = { ExposedPorts: { "80/tcp": {}, "443": {} } };
    expect(portRequests(config, hostConfig)).toEqual([
      { containerPort: 80, protocol: "tcp", hostIp: "127.0.0.1", hostPort: 8080 },
      { containerPort: 53, protocol: "udp", hostIp: "", hostPort: 0 },
      { containerPort: 443, protocol: "tcp", hostIp: "", hostPort: 0 },
    ]);
  });

  test("refuses a host port that is none", () => {
    expect(() => portRequests({}, { PortBindings: { "80": [{ HostIp: "", HostPort: "70000" }] } })).toThrow(
      'invalid port specification: "70000"',
    );
  });
});

describe("parsePort()", () => {
  test("takes tcp unless told otherwise, and refuses what is no port", () => {
    expect(parsePort("53/UDP")).toEqual({ containerPort: 53, protocol: "udp" });
    for (const text of ["0", "65536", "80/icmp", "80-90", "http"])
      expect(() => parsePort(text)).toThrow(`invalid port specification: "${text}"`);
  });
});
