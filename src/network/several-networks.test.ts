import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import type { NetworkSandbox } from "./network-driver.ts";
import {
  addNetwork,
  askTcp,
  connect,
  inside,
  leftovers,
  NetworkTestBed,
  networkRecord,
  open,
  pings,
  published,
  refuses,
  type TestEngine,
} from "./network-test-bed.ts";

let bed: NetworkTestBed;

beforeEach(() => {
  bed = new NetworkTestBed();
});

afterEach(async () => {
  expect(await bed.close()).toEqual([]);
});

const chosenBlock = { subnet: "", gateway: "", auxiliary: {}, chosen: true };

function defaultRoute(sandbox: NetworkSandbox): string {
  // A link that has just been set up counts as down for a moment.
  return inside(sandbox, "ip", "route", "show", "default").replace("linkdown", "").trim();
}

describe("several networks of a container", () => {
  test("the endpoint of the highest priority, then of the first name, has the default route", async () => {
    const engine = await bed.newEngine();
    const [left, right] = [await addNetwork(engine, { name: "a" }), await addNetwork(engine, { name: "b" })];
    const openWith = (priority: number): Promise<NetworkSandbox> =>
      engine.driver.open({
        containerId: randomBytes(8).toString("hex"),
        endpoints: [{ network: right, gatewayPriority: priority }, { network: left }],
        ports: [],
      });
    const [equal, higher] = [await openWith(0), await openWith(1)];
    expect(equal.endpoints.map(({ interfaceName }) => interfaceName)).toEqual(["eth0", "eth1"]);
    expect(defaultRoute(equal)).toBe(`default via ${left.ipv4!.gateway} dev eth1`);
    expect(defaultRoute(higher)).toBe(`default via ${right.ipv4!.gateway} dev eth0`);
  });

  test("attach() and detach() move routes and published ports, and leave nothing", async () => {
    const engine = await bed.newEngine();
    const [inner, outer] = [await addNetwork(engine, { internal: true }), await addNetwork(engine)];
    const id = randomBytes(8).toString("hex");
    const first = await engine.driver.open({
      containerId: id,
      endpoints: [{ network: inner }],
      ports: [published(80)],
    });
    expect(first.ports).toEqual([]);
    expect(defaultRoute(first)).toBe("");
    bed.serveTcp(first, 80);

    const both = await engine.driver.attach(id, { network: outer });
    expect(defaultRoute(both)).toBe(`default via ${outer.ipv4!.gateway} dev eth1`);
    const { hostPort } = both.ports[0]!;
    expect(askTcp("127.0.0.1", hostPort)).toStartWith("from ");

    const better = await engine.driver.attach(id, { network: engine.network, gatewayPriority: 5 });
    expect(better.ports).toEqual(both.ports);
    expect(defaultRoute(better)).toBe(`default via ${engine.network.ipv4!.gateway} dev eth2`);
    expect(askTcp("127.0.0.1", hostPort)).toBe(`from ${engine.network.ipv4!.gateway}`);

    await engine.driver.detach(id, engine.network.id);
    expect(askTcp("127.0.0.1", hostPort)).toBe(`from ${outer.ipv4!.gateway}`);
    const last = await engine.driver.detach(id, outer.id);
    expect(last.ports).toEqual([]);
    expect(defaultRoute(last)).toBe("");
    expect(inside(last, "ip", "-brief", "link").match(/eth\d/g)).toEqual(["eth0"]);
    expect(leftovers(`v${engine.name.slice(0, 6)}`)).toHaveLength(1);
  });

  test("an attach() that fails changes nothing", async () => {
    const engine = await bed.newEngine();
    const other = await addNetwork(engine);
    const taken = await engine.driver.open({ containerId: "one", endpoints: [{ network: other }], ports: [] });
    const sandbox = await connect(engine);
    const { ipv4 } = taken.endpoints[0]!;
    await expect(engine.driver.attach(sandbox.containerId, { network: other, ipv4 })).rejects.toThrow("already in use");
    const wrong = { network: other, interfaceName: "a name that is far too long" };
    await expect(engine.driver.attach(sandbox.containerId, wrong)).rejects.toThrow();
    expect(inside(sandbox, "ip", "-brief", "link").match(/eth\d/g)).toEqual(["eth0"]);
    // The address that the second try had is free again.
    const next = await engine.driver.attach(sandbox.containerId, { network: other });
    expect(next.endpoints).toHaveLength(2);
  });

  test("an attach() whose ports cannot be had leaves those that are published", async () => {
    const engine = await bed.newEngine();
    const [first, second] = [
      await addNetwork(engine, { name: "first", ipv4: undefined, ipv6: chosenBlock }),
      await addNetwork(engine, { name: "second", ipv6: chosenBlock }),
    ];
    const hostPort = 28_950;
    const server = await open(engine, "server", [published(80, hostPort)], { network: first });
    bed.serveTcp(server, 80, 6);
    expect(askTcp(server.gateway6, hostPort)).toStartWith("from ");
    // Another program has the port for IPv4, which the second network would bring.
    const other = createServer();
    await new Promise<void>((resolve) => other.listen({ host: "127.0.0.1", port: hostPort }, resolve));
    const attached = engine.driver.attach(server.containerId, { network: second, gatewayPriority: 5 });
    await expect(attached).rejects.toThrow(`listen tcp4 0.0.0.0:${hostPort}: bind: address already in use`);
    expect(askTcp(server.gateway6, hostPort)).toStartWith("from ");
    await new Promise((resolve) => other.close(resolve));
    const both = await engine.driver.attach(server.containerId, { network: second, gatewayPriority: 5 });
    expect(both.ports.map(({ hostIp }) => hostIp)).toEqual(["0.0.0.0", "::"]);
  });

  test("networks do not reach each other, but each other's published ports", async () => {
    const engine = await bed.newEngine();
    const other = await addNetwork(engine);
    const server = await connect(engine, [published(80)]);
    const client = await open(engine, "client", [], { network: other });
    bed.serveTcp(server, 80);
    expect(askTcp(server.ipv4, 80)).toStartWith("from ");
    expect(refuses(server.ipv4, 80, client)).toBe(true);
    expect(askTcp(other.ipv4!.gateway, server.ports[0]!.hostPort, client)).toStartWith("from ");
  });

  test("enable_icc=false parts the containers of a network, not from the gateway and other networks' ports", async () => {
    const engine = await bed.newEngine();
    const parted = await addNetwork(engine, { options: { "com.docker.network.bridge.enable_icc": "false" } });
    const server = await open(engine, "server", [published(80)], { network: parted });
    const client = await open(engine, "client", [], { network: parted });
    bed.serveTcp(server, 80);
    expect(askTcp(server.ipv4, 80)).toStartWith("from ");
    expect(refuses(server.ipv4, 80, client)).toBe(true);
    expect(pings(client, client.gateway)).toBe(true);
    const outside = await connect(engine);
    expect(askTcp(client.gateway, server.ports[0]!.hostPort, outside)).toStartWith("from ");
  });

  test("host_binding_ipv4 is where ports are published that name no address", async () => {
    const engine = await bed.newEngine();
    const options = { "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1" };
    const local = await addNetwork(engine, { options });
    const server = await open(engine, "server", [published(80)], { network: local });
    expect(server.ports[0]).toMatchObject({ hostIp: "127.0.0.1", containerPort: 80 });
  });

  test("a range of host ports gives the first free one", async () => {
    const engine = await bed.newEngine();
    const range = { hostPort: 28_900, lastHostPort: 28_902 };
    const ports = [];
    for (let index = 0; index < 3; index++)
      ports.push((await connect(engine, [published(80, 0, range)])).ports[0]!.hostPort);
    expect(ports).toEqual([28_900, 28_901, 28_902]);
    await expect(connect(engine, [published(80, 0, range)])).rejects.toThrow("all ports are allocated");
  });
});

describe("IPv6", () => {
  const withIpv6 = { ipv6: chosenBlock };

  test("gives addresses, a way out and published ports of both families", async () => {
    const engine = await bed.newEngine(withIpv6);
    const [server, client] = [await connect(engine, [published(80)]), await connect(engine)];
    expect(server.ports.map(({ hostIp }) => hostIp)).toEqual(["0.0.0.0", "::"]);
    expect(new Set(server.ports.map(({ hostPort }) => hostPort)).size).toBe(1);
    expect(inside(client, "ip", "-6", "route", "show", "default")).toContain(`via ${server.gateway6} dev eth0`);
    bed.serveTcp(server, 80, 6);
    expect(askTcp(server.ipv6, 80, client)).toContain(`${client.ipv6.split("::")[1]}]`);
    const { hostPort } = server.ports[1]!;
    expect(askTcp(server.gateway6, hostPort)).toStartWith("from ");
    expect(askTcp(server.gateway6, hostPort, client)).toStartWith("from ");
    // From an address of this host that is not on the container's link.
    const elsewhere = await addNetwork(engine, withIpv6);
    expect(askTcp(elsewhere.ipv6!.gateway, hostPort)).toContain("from ");
    inside(server, "ip", "-6", "neigh", "flush", "dev", "eth0");
    execFileSync("ip", ["-6", "neigh", "flush", "dev", engine.network.interfaceName]);
    expect(askTcp(elsewhere.ipv6!.gateway, hostPort)).toContain("from ");
  });

  test("[::1] of this host reaches a published port, as 127.0.0.1 does", async () => {
    const engine = await bed.newEngine(withIpv6);
    const server = await connect(engine, [published(80, 0, { hostIp: "::1" })]);
    bed.serveTcp(server, 80, 6);
    const { hostPort } = server.ports[0]!;
    expect(askTcp(server.ipv6, 80)).toStartWith("from ");
    const ask = Bun.spawn(["socat", "-T", "3", "-", `TCP6:[::1]:${hostPort},connect-timeout=3`], { stdin: "ignore" });
    expect(await new Response(ask.stdout).text()).toStartWith("from ");
  });

  test("networks without IPv4 have addresses of IPv6 alone", async () => {
    const engine = await bed.newEngine();
    const only = await addNetwork(engine, { ipv4: undefined, ...withIpv6 });
    const [left, right] = [
      await open(engine, "left", [published(80)], { network: only }),
      await open(engine, "right", [], { network: only }),
    ];
    expect([left.ipv4, left.ports.map(({ hostIp }) => hostIp)]).toEqual(["", ["::"]]);
    expect(inside(right, "busybox", "ping", "-6", "-c", "1", "-W", "2", left.ipv6)).toContain("1 packets received");
    expect(leftovers(engine.name).some((line) => line.startsWith("table ip6"))).toBe(true);
  });
});

describe("macvlan", () => {
  /** A link that stands for a wire: its other end is a host of its own. */
  function wire(engine: TestEngine): { readonly parent: string; readonly remote: { readonly netnsPath: string } } {
    const parent = `p${engine.name}`;
    const remote = { netnsPath: `${bed.scratch}/remote` };
    execFileSync("touch", [remote.netnsPath]);
    execFileSync("unshare", [`--net=${remote.netnsPath}`, "ip", "link", "set", "lo", "up"]);
    execFileSync("ip", [
      "link",
      "add",
      "name",
      parent,
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "netns",
      remote.netnsPath,
    ]);
    execFileSync("ip", ["link", "set", parent, "up"]);
    inside(remote, "ip", "address", "add", "10.211.0.1/24", "dev", "eth0");
    inside(remote, "ip", "link", "set", "eth0", "up");
    return { parent, remote };
  }

  test("containers are hosts of the parent's link, and may come and go while they run", async () => {
    const engine = await bed.newEngine();
    const { parent, remote } = wire(engine);
    try {
      const block = { subnet: "10.211.0.0/24", gateway: "10.211.0.1", auxiliary: {}, chosen: false };
      const network = await engine.driver.ensureNetwork(
        networkRecord(parent, { driver: "macvlan", ipv4: block }),
        () => undefined,
      );
      const first = await open(engine, "first", [published(80)], { network });
      // It has an address of its own on the link.
      expect(first.ports).toEqual([]);
      expect(defaultRoute(first)).toBe("default via 10.211.0.1 dev eth0");
      expect(pings(first, "10.211.0.1")).toBe(true);
      const second = await connect(engine);
      const attached = await engine.driver.attach(second.containerId, { network, ipv4: "10.211.0.77" });
      expect(pings(first, "10.211.0.77")).toBe(true);
      expect(pings(remote, "10.211.0.77")).toBe(true);
      await engine.driver.detach(second.containerId, network.id);
      expect(inside(attached, "ip", "-brief", "link").match(/eth\d/g)).toEqual(["eth0"]);
    } finally {
      execFileSync("ip", ["link", "delete", parent]);
      execFileSync("umount", [remote.netnsPath]);
    }
  });

  test("a parent that is missing is named", async () => {
    const engine = await bed.newEngine();
    const missing = addNetwork(engine, { driver: "macvlan", interfaceName: "nowhere0" });
    await expect(missing).rejects.toThrow('this host has no interface "nowhere0"');
    const none = addNetwork(engine, { driver: "ipvlan", name: "lan", interfaceName: "" });
    await expect(none).rejects.toThrow('cannot make ipvlan network "lan": it needs a parent interface of this host');
  });

  test("a kernel that has no ipvlan is told so", async () => {
    const engine = await bed.newEngine();
    const made = addNetwork(engine, { driver: "ipvlan", interfaceName: engine.network.interfaceName }).then(
      () => "made",
      (error: Error) => error.message,
    );
    expect(await made).toMatch(/^made$|this host's kernel has no ipvlan \(CONFIG_IPVLAN\)|can have no ipvlan links/);
  });
});

describe("crashes and other people's tools", () => {
  test("rules come back at once when somebody flushes them", async () => {
    const engine = await bed.newEngine();
    const server = await connect(engine, [published(80)]);
    bed.serveTcp(server, 80);
    const { hostPort } = server.ports[0]!;
    expect(askTcp("127.0.0.1", hostPort)).toStartWith("from ");
    for (const how of [
      ["delete", "table"],
      ["flush", "table"],
    ]) {
      execFileSync("nft", [...how, "ip", `berth_${engine.name}`]);
      // Until then the engine's own socket takes the connection and ends it.
      let answer = "";
      for (let attempt = 0; attempt < 100 && answer === ""; attempt++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        answer = askTcp("127.0.0.1", hostPort);
      }
      expect(answer).toStartWith("from ");
    }
  });

  test("restore() deletes the end of a pair that a crash left in the middle of attach()", async () => {
    const engine = await bed.newEngine();
    const sandbox = await connect(engine);
    const lost = `v${engine.name.slice(0, 6)}00000000`;
    execFileSync("ip", [
      "link",
      "add",
      "name",
      lost,
      "type",
      "veth",
      "peer",
      "name",
      "eth1",
      "netns",
      sandbox.netnsPath,
    ]);
    const restarted = bed.restart(engine);
    await restarted.driver.restore([sandbox], [engine.network]);
    expect(leftovers(lost)).toEqual([]);
    expect(inside(sandbox, "ip", "-brief", "link").match(/eth\d/g)).toEqual(["eth0"]);
    expect(existsSync(sandbox.netnsPath)).toBe(true);
  });

  test("restore() makes a bridge that somebody deleted, and attaches the containers to it", async () => {
    const engine = await bed.newEngine();
    const [left, right] = [await connect(engine), await connect(engine, [published(80)])];
    execFileSync("ip", ["link", "delete", engine.network.interfaceName]);
    expect(pings(left, right.ipv4)).toBe(false);
    const restarted = bed.restart(engine);
    await restarted.driver.restore([left, right], [engine.network]);
    // What the container has learnt of its neighbour while there was no bridge passes.
    for (let attempt = 0; attempt < 20 && !pings(left, right.ipv4); attempt++) await Bun.sleep(50);
    expect(pings(left, right.ipv4)).toBe(true);
    bed.serveTcp(right, 80);
    expect(askTcp("127.0.0.1", right.ports[0]!.hostPort)).toStartWith("from ");
  });

  test("a bridge that somebody deletes is there again at once, with its containers and their ports", async () => {
    const engine = await bed.newEngine();
    const left = await connect(engine);
    const right = await connect(engine, [published(80)]);
    bed.serveTcp(right, 80);
    execFileSync("ip", ["link", "delete", "dev", engine.network.interfaceName]);
    const answer = (): boolean => pings(left, right.ipv4) && pings(left, left.gateway);
    for (let attempt = 0; attempt < 50 && !answer(); attempt++) await Bun.sleep(20);
    expect(answer()).toBe(true);
    expect(askTcp("127.0.0.1", right.ports[0]!.hostPort)).toStartWith("from ");
    // What they have is theirs: the next one gets another address.
    expect([left.ipv4, right.ipv4]).not.toContain((await connect(engine)).ipv4);
  });

  test("addresses of running containers stay theirs on a bridge that was there before the network, whatever engine comes", async () => {
    const engine = await bed.newEngine();
    const { interfaceName, ipv4 } = engine.network;
    const block = { ...ipv4!, chosen: false };
    const first = await connect(engine);
    const restarted = bed.restart(engine);
    const network = { ...engine.network, interfaceName, ipv4: block, existing: true };
    await restarted.driver.restore([first], [network]);
    const next = await open({ ...restarted, network }, "next");
    // It is the test's to take down, as the network's it is not.
    execFileSync("ip", ["link", "delete", interfaceName]);
    expect(next.ipv4).not.toBe(first.ipv4);
  });

  test("engines that choose at the same moment get different subnets", async () => {
    const engines = await Promise.all(Array.from({ length: 4 }, () => bed.newEngine()));
    expect(new Set(engines.map(({ network }) => network.ipv4!.subnet)).size).toBe(4);
    const more = await Promise.all(engines.map((engine) => addNetwork(engine)));
    expect(new Set([...engines.map(({ network }) => network), ...more].map(({ ipv4 }) => ipv4!.subnet)).size).toBe(8);
  });

  test("a subnet that the engine chose and that another took since is chosen anew; one that a user chose is not", async () => {
    const other = await bed.newEngine();
    const { subnet, gateway } = other.network.ipv4!;
    const engine = await bed.newEngine({ ipv4: { subnet, gateway, auxiliary: {}, chosen: true } });
    expect(engine.network.ipv4!.subnet).not.toBe(subnet);
    const wanted = addNetwork(engine, { ipv4: { subnet, gateway, auxiliary: {}, chosen: false } });
    await expect(wanted).rejects.toThrow("Pool overlaps with other one on this address space");
  });
});
