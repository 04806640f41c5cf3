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

  test("takes a range of host ports", () => {
    const hostConfig = { PortBindings: { "80": [{ HostIp: "", HostPort: "8000-8010" }] } };
    expect(portRequests({}, hostConfig)).toEqual([
      { containerPort: 80, protocol: "tcp", hostIp: "", hostPort: 8000, lastHostPort: 8010 },
    ]);
  });

  test.each(["70000", "80-70", "1-2-3", "x", "-80", "80-", "0x50", "1e3", " 80"])(
    "refuses %s, which is no host port",
    (HostPort) => {
      expect(() => portRequests({}, { PortBindings: { "80": [{ HostIp: "", HostPort }] } })).toThrow(
        `invalid port specification: "${HostPort}"`,
      );
    },
  );
});

describe("parsePort()", () => {
  test("takes tcp unless told otherwise, and refuses what is no port", () => {
    expect(parsePort("53/UDP")).toEqual({ containerPort: 53, protocol: "udp" });
    for (const text of ["0", "65536", "80/icmp", "80-90", "http"])
      expect(() => parsePort(text)).toThrow(`invalid port specification: "${text}"`);
  });
});
