/** Options of bridge networks that say how they are connected to the outside: a real host there, with routes to the containers. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { NetworkRecord } from "./network-driver.ts";
import {
  addNetwork,
  askTcp,
  type Connected,
  connect,
  inside,
  NetworkTestBed,
  open,
  pings,
  published,
  refuses,
  type TestEngine,
} from "./network-test-bed.ts";

let bed: NetworkTestBed;
let outside: { readonly netnsPath: string };
let link: string;
/** The host's and the outsider's address on the link between them. */
let [near, far] = ["", ""];

beforeEach(() => {
  bed = new NetworkTestBed();
  outside = { netnsPath: join(bed.scratch, "outside") };
  link = `to${randomBytes(4).toString("hex")}`;
  const net = `100.64.${randomBytes(1)[0]}`;
  [near, far] = [`${net}.1`, `${net}.2`];
  execFileSync("touch", [outside.netnsPath]);
  const commands = `link set lo up
link add name eth0 type veth peer name ${link} netns /proc/${process.pid}/ns/net
address add ${far}/24 dev eth0
link set eth0 up
route add default via ${near}
`;
  execFileSync("unshare", [`--net=${outside.netnsPath}`, "ip", "-batch", "-"], { input: commands });
  execFileSync("ip", ["address", "add", `${near}/24`, "dev", link]);
  execFileSync("ip", ["link", "set", link, "up"]);
});

afterEach(async () => {
  execFileSync("ip", ["link", "delete", link]);
  execFileSync("umount", [outside.netnsPath]);
  expect(await bed.close()).toEqual([]);
});

const option = (name: string, value: string): Partial<NetworkRecord> => ({
  options: { [`com.docker.network.${name}`]: value },
});

/** A container with servers at port 80, which is published, and 81, which is not. */
async function server(engine: TestEngine, network = engine.network): Promise<Connected> {
  const container = await open(engine, randomBytes(32).toString("hex"), [published(80)], { network });
  for (const port of [80, 81]) {
    bed.serveTcp(container, port);
    expect(askTcp(container.ipv4, port)).toStartWith("from ");
  }
  return container;
}

describe("gateway_mode_ipv4", () => {
  test("routed: whoever has a route reaches published ports at the container's address, which is its own outside", async () => {
    const engine = await bed.newEngine(option("bridge.gateway_mode_ipv4", "routed"));
    const container = await server(engine);
    expect(container.ports).toContainEqual({ containerPort: 80, protocol: "tcp", hostIp: "0.0.0.0", hostPort: 0 });
    expect(askTcp(container.ipv4, 80, outside)).toBe(`from ${far}`);
    expect(refuses(container.ipv4, 81, outside)).toBe(true);
    expect(pings(outside, container.ipv4)).toBe(true);
    bed.serveTcp(outside, 82);
    expect(askTcp(far, 82, container)).toBe(`from ${container.ipv4}`);
    const other = await connect(engine, [published(80)]);
    await engine.driver.close(container.containerId);
    await engine.driver.close(other.containerId);
  });

  test("nat-unprotected: whoever has a route reaches all ports, and the container has the host's address outside", async () => {
    const engine = await bed.newEngine(option("bridge.gateway_mode_ipv4", "nat-unprotected"));
    const container = await server(engine);
    expect(askTcp(container.ipv4, 81, outside)).toBe(`from ${far}`);
    expect(askTcp(near, container.ports[0]!.hostPort, outside)).toBe(`from ${far}`);
    bed.serveTcp(outside, 82);
    expect(askTcp(far, 82, container)).toBe(`from ${near}`);
  });

  test("isolated: the bridge has no address of this host, containers reach each other alone", async () => {
    const engine = await bed.newEngine();
    const overrides = { internal: true, ...option("bridge.gateway_mode_ipv4", "isolated") };
    const network = await addNetwork(engine, overrides);
    const [left, right] = [await open(engine, "left", [], { network }), await open(engine, "right", [], { network })];
    const shown = execFileSync("ip", ["-4", "-o", "address", "show", "dev", network.interfaceName], {
      encoding: "utf8",
    });
    expect(shown).toBe("");
    expect(pings(left, right.ipv4)).toBe(true);
    expect(pings(left, network.ipv4!.gateway)).toBe(false);
  });
});

test("trusted_host_interfaces: from there published ports are reached at the container's address too", async () => {
  const engine = await bed.newEngine(option("bridge.trusted_host_interfaces", `lo:${link}`));
  const container = await server(engine);
  expect(askTcp(container.ipv4, 80, outside)).toBe(`from ${far}`);
  expect(refuses(container.ipv4, 81, outside)).toBe(true);
  expect(askTcp(near, container.ports[0]!.hostPort, outside)).toBe(`from ${far}`);
});

test("host_ipv4: packets leave under the address that was named", async () => {
  execFileSync("ip", ["address", "add", `${near}1/32`, "dev", link]);
  const engine = await bed.newEngine(option("host_ipv4", `${near}1`));
  const container = await connect(engine);
  bed.serveTcp(outside, 82);
  expect(askTcp(far, 82, container)).toBe(`from ${near}1`);
});

test("inhibit_ipv4: the bridge has no address; the default route is there for whoever has", async () => {
  const engine = await bed.newEngine(option("bridge.inhibit_ipv4", "true"));
  const container = await connect(engine);
  const { interfaceName, ipv4 } = engine.network;
  expect(execFileSync("ip", ["-4", "-o", "address", "show", "dev", interfaceName], { encoding: "utf8" })).toBe("");
  expect(inside(container, "ip", "route")).toContain(`default via ${ipv4!.gateway} dev eth0`);
});

test("container_iface_prefix and link-local addresses are the interface's in the container", async () => {
  const engine = await bed.newEngine(option("container_iface_prefix", "net"));
  const container = await open(engine, "one", [], { linkLocal: ["169.254.7.7", "fe80::7"] });
  expect(container.interfaceName).toBe("net0");
  const shown = inside(container, "ip", "-o", "address", "show", "dev", "net0");
  expect(shown).toContain("169.254.7.7/16");
  expect(shown).toContain("fe80::7/64");
});
