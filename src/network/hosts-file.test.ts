import { describe, expect, test } from "bun:test";
import { InvalidParameterError } from "#errors/errors.ts";
import { parseExtraHost, renderHosts } from "./hosts-file.ts";

const DOCKERS = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;
const PLAIN = { hostname: "web", addresses: ["172.17.0.2"], extraHosts: [], hostGateway: "172.17.0.1" };

describe("renderHosts()", () => {
  test("has Docker's lines and the container's own", () => {
    expect(renderHosts(PLAIN)).toBe(`${DOCKERS}172.17.0.2\tweb\n`);
    expect(renderHosts({ ...PLAIN, addresses: [] })).toBe(DOCKERS);
    expect(renderHosts({ ...PLAIN, addresses: ["10.1.0.2", "fd00::2"] })).toBe(
      `${DOCKERS}10.1.0.2\tweb\nfd00::2\tweb\n`,
    );
  });

  test("has nothing of IPv6 for a container without it", () => {
    expect(renderHosts({ ...PLAIN, hasIpv6: false })).toBe("127.0.0.1\tlocalhost\n172.17.0.2\tweb\n");
  });

  test("names a domain in full first, and the first label of a dotted hostname", () => {
    expect(renderHosts({ ...PLAIN, domainname: "example.org" })).toEndWith("172.17.0.2\tweb.example.org web\n");
    expect(renderHosts({ ...PLAIN, hostname: "a.b.c" })).toEndWith("172.17.0.2\ta.b.c a\n");
  });

  test("adds --add-host before the own line, host-gateway as the bridge's address", () => {
    const extraHosts = ["db:10.0.0.5", "host.docker.internal:host-gateway", "six=::1", "seven:[fe80::7]"];
    expect(renderHosts({ ...PLAIN, extraHosts })).toBe(
      `${DOCKERS}10.0.0.5\tdb\n172.17.0.1\thost.docker.internal\n::1\tsix\nfe80::7\tseven\n172.17.0.2\tweb\n`,
    );
  });

  test("starts from the host's file when told to", () => {
    expect(renderHosts({ ...PLAIN, addresses: [], base: "127.0.0.1 here\n\n", extraHosts: ["a:1.2.3.4"] })).toBe(
      "127.0.0.1 here\n1.2.3.4\ta\n",
    );
  });
});

test.each([
  ["db", 'bad format for add-host: "db"'],
  [":1.2.3.4", 'bad format for add-host: ":1.2.3.4"'],
  ["db:", 'bad format for add-host: "db:"'],
  ["a b:1.2.3.4", 'bad format for add-host: "a b:1.2.3.4"'],
  ["db:1.2.3.4\n6.6.6.6 bank", 'bad format for add-host: "db:1.2.3.4\n6.6.6.6 bank"'],
  ["db:1.2.3", 'invalid IP address in add-host: "1.2.3"'],
])("parseExtraHost() refuses %p with Docker's words", (text, message) => {
  expect(() => parseExtraHost(text)).toThrow(InvalidParameterError);
  expect(() => parseExtraHost(text)).toThrow(message);
});
