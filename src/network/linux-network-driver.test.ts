import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync, readdirSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { ConflictError, ForbiddenError, InvalidParameterError } from "#errors/errors.ts";
import {
  askTcp,
  connect,
  inside,
  leftovers,
  NetworkTestBed,
  open,
  pings,
  published,
  refuses,
} from "./network-test-bed.ts";

let bed: NetworkTestBed;

beforeEach(() => {
  bed = new NetworkTestBed();
});

afterEach(async () => {
  expect(await bed.close()).toEqual([]);
});

describe("LinuxNetworkDriver.open()", () => {
  test("gives containers addresses at which they, the gateway and this host reach each other", async () => {
    const engine = await bed.newEngine();
    const [left, right] = await Promise.all([connect(engine), connect(engine)]);
    expect(pings(left, right.ipv4)).toBe(true);
    expect(pings(right, left.gateway)).toBe(true);
    expect(pings(left, "127.0.0.1")).toBe(true);
    bed.serveTcp(left, 80);
    expect(askTcp(left.ipv4, 80)).toBe(`from ${left.gateway}`);
  });

  test("sets up eth0 as Docker does: MAC from the address, prefix, default route, no IPv6 address", async () => {
    const engine = await bed.newEngine();
    const endpoint = await connect(engine);
    const link = JSON.parse(inside(endpoint, "ip", "-json", "address", "show", "eth0"))[0];
    expect(link.address).toBe(endpoint.macAddress);
    expect(endpoint.macAddress).toStartWith("02:42:");
    expect(
      link.addr_info.map((info: { local: string; prefixlen: number }) => `${info.local}/${info.prefixlen}`),
    ).toEqual([`${endpoint.ipv4}/${endpoint.prefixLength}`]);
    expect(inside(endpoint, "ip", "route", "show", "default")).toContain(
      `via ${engine.network.ipv4!.gateway} dev eth0`,
    );
    expect(endpoint.networkId).toBe(engine.network.id);
    expect(endpoint.endpointId).toMatch(/^[0-9a-f]{64}$/);
  });

  test("takes the wanted address and MAC, and refuses a taken or foreign address", async () => {
    const engine = await bed.newEngine();
    const wanted = engine.network.ipv4!.gateway.replace(/\.1$/, ".77");
    const endpoint = await open(engine, "one", [], { ipv4: wanted, macAddress: "02:00:00:00:00:77" });
    expect([endpoint.ipv4, endpoint.macAddress]).toEqual([wanted, "02:00:00:00:00:77"]);
    expect(inside(endpoint, "ip", "link", "show", "eth0")).toContain("02:00:00:00:00:77");
    await expect(open(engine, "two", [], { ipv4: wanted })).rejects.toThrow(ConflictError);
    await expect(open(engine, "two", [], { ipv4: "203.0.113.1" })).rejects.toThrow(InvalidParameterError);
    expect(readdirSync(engine.netnsDirectory)).toEqual(["one"]);
  });

  test("gives a container that is restarted the address that it had", async () => {
    const engine = await bed.newEngine();
    const [first, second] = [await open(engine, "first"), await open(engine, "second")];
    for (const before of [second, first]) {
      await engine.driver.close(before.containerId);
      expect((await open(engine, before.containerId)).ipv4).toBe(before.ipv4);
    }
  });

  test("without a network gives loopback only", async () => {
    const { driver } = await bed.newEngine();
    const endpoint = await driver.open({ containerId: "alone", endpoints: [], ports: [] });
    expect(JSON.parse(inside(endpoint, "ip", "-json", "link")).map((link: { ifname: string }) => link.ifname)).toEqual([
      "lo",
    ]);
    expect(pings(endpoint, "127.0.0.1")).toBe(true);
    await driver.close("alone");
    expect(existsSync(endpoint.netnsPath)).toBe(false);
  });

  test("gives 40 containers at once different addresses, and forgets them all", async () => {
    const engine = await bed.newEngine();
    const endpoints = await Promise.all(
      Array.from({ length: 40 }, (_, index) => connect(engine, index % 4 ? [] : [published(80)])),
    );
    expect(new Set(endpoints.map((endpoint) => endpoint.ipv4)).size).toBe(40);
    expect(pings(endpoints[0]!, endpoints[39]!.ipv4)).toBe(true);
    await Promise.all(endpoints.map((endpoint) => engine.driver.close(endpoint.containerId)));
    await Promise.all(endpoints.map((endpoint) => engine.driver.close(endpoint.containerId)));
    expect(readdirSync(engine.netnsDirectory)).toEqual([]);
  });

  test("replaces a namespace that a crashed engine left under the same id", async () => {
    const engine = await bed.newEngine();
    const first = await connect(engine);
    const second = bed.restart(engine);
    const again = await open(second, first.containerId);
    expect(pings(again, again.gateway)).toBe(true);
  });

  test("makes no bridge over a subnet that this host uses, and leaves nothing", async () => {
    const ipv4 = { subnet: "127.0.0.0/8", gateway: "127.0.0.1", auxiliary: {}, chosen: false };
    const engine = bed.newEngine({ ipv4 });
    await expect(engine).rejects.toThrow(ForbiddenError);
    await expect(engine).rejects.toThrow("invalid pool request: Pool overlaps with other one on this address space");
  });
});

describe("published ports", () => {
  test("tcp: through 127.0.0.1, the gateway, another container, and the container itself", async () => {
    const engine = await bed.newEngine();
    const server = await connect(engine, [published(80)]);
    const client = await connect(engine);
    bed.serveTcp(server, 80);
    const { hostPort, hostIp } = server.ports[0]!;
    expect(hostIp).toBe("0.0.0.0");
    expect(askTcp("127.0.0.1", hostPort)).toBe(`from ${server.gateway}`);
    expect(askTcp(server.gateway, hostPort)).toStartWith("from ");
    expect(askTcp(server.gateway, hostPort, client)).toStartWith("from ");
    expect(askTcp(server.gateway, hostPort, server)).toStartWith("from ");
  });

  test("udp: through 127.0.0.1 and the gateway", async () => {
    const engine = await bed.newEngine();
    const server = await connect(engine, [published(53, 0, { protocol: "udp" })]);
    bed.startInside(server, "socat", "UDP4-RECVFROM:53,fork", "SYSTEM:echo from udp");
    for (const address of ["127.0.0.1", server.gateway]) {
      expect(await eventually(() => askUdp(address, server.ports[0]!.hostPort))).toBe("from udp");
    }
  });

  test("udp: a client that never pauses reaches the next container that gets the port", async () => {
    const engine = await bed.newEngine();
    const first = await connect(engine, [published(53, 0, { protocol: "udp" })]);
    const { hostPort } = first.ports[0]!;
    const client = createSocket("udp4");
    const answers: string[] = [];
    client.on("message", (message) => answers.push(message.toString()));
    client.on("error", () => undefined);
    const talk = setInterval(() => client.send("hello", hostPort, "127.0.0.1"), 10);
    try {
      bed.startInside(first, "socat", "UDP4-RECVFROM:53,fork", "SYSTEM:echo first");
      expect(await eventually(() => answers.at(-1) ?? "")).toBe("first\n");
      await engine.driver.close(first.containerId);
      await new Promise((resolve) => setTimeout(resolve, 100));
      const second = await connect(engine, [published(53, hostPort, { protocol: "udp" })]);
      bed.startInside(second, "socat", "UDP4-RECVFROM:53,fork", "SYSTEM:echo second");
      expect(await eventually(() => (answers.at(-1) === "second\n" ? "second" : ""))).toBe("second");
    } finally {
      clearInterval(talk);
      client.close();
    }
  });

  test("a host address limits the port to that address", async () => {
    const engine = await bed.newEngine();
    const server = await connect(engine, [published(80, 0, { hostIp: "127.0.0.1" })]);
    const client = await connect(engine);
    bed.serveTcp(server, 80);
    const { hostPort } = server.ports[0]!;
    expect(askTcp("127.0.0.1", hostPort)).toStartWith("from ");
    expect(refuses(server.gateway, hostPort, client)).toBe(true);
    expect(refuses("127.0.0.1", hostPort, client)).toBe(true);
  });

  test("containers do not reach what listens on this host's loopback", async () => {
    const engine = await bed.newEngine();
    const client = await connect(engine);
    const server = await listen("127.0.0.1", 0);
    inside(client, "ip", "route", "add", "127.0.0.2/32", "via", client.gateway);
    expect(refuses("127.0.0.2", portOf(server), client)).toBe(true);
    server.close();
  });

  test("a port that another container has is refused in Docker's words, and nothing stays", async () => {
    const engine = await bed.newEngine();
    const first = await connect(engine, [published(80)]);
    const { hostPort } = first.ports[0]!;
    const second = engine.driver.open({
      containerId: "second",
      containerName: "web",
      endpoints: [{ network: engine.network }],
      ports: [published(81), published(80, hostPort)],
    });
    await expect(second).rejects.toThrow(ConflictError);
    await expect(second).rejects.toThrow(
      /^driver failed programming external connectivity on endpoint web \([0-9a-f]{64}\): Bind for 0\.0\.0\.0:\d+ failed: port is already allocated$/,
    );
    expect(readdirSync(engine.netnsDirectory)).toEqual([first.containerId]);
  });

  test("a port that another program has is refused in Docker's words, and free again with it", async () => {
    const engine = await bed.newEngine();
    const server = await listen("127.0.0.1", 0);
    const port = portOf(server);
    await expect(connect(engine, [published(80, port)])).rejects.toThrow(
      `listen tcp4 0.0.0.0:${port}: bind: address already in use`,
    );
    await new Promise((resolve) => server.close(resolve));
    await connect(engine, [published(80, port)]);
  });

  test("a published port is taken for other programs and engines until the container is disconnected", async () => {
    const engine = await bed.newEngine();
    const endpoint = await connect(engine, [published(80), published(80, 0, { protocol: "udp" })]);
    // It sees the first one's bridge and chooses another subnet.
    const other = await bed.newEngine();
    const [tcp, udp] = ["tcp", "udp"].map((protocol) => endpoint.ports.find((port) => port.protocol === protocol));
    await expect(listen("0.0.0.0", tcp!.hostPort)).rejects.toThrow("EADDRINUSE");
    await expect(connect(other, [published(80, tcp!.hostPort)])).rejects.toThrow("bind: address already in use");
    await expect(connect(other, [published(80, udp!.hostPort, { protocol: "udp" })])).rejects.toThrow("listen udp4");
    await engine.driver.close(endpoint.containerId);
    const again = await connect(engine, [published(8080, tcp!.hostPort)]);
    bed.serveTcp(again, 8080);
    expect(askTcp("127.0.0.1", tcp!.hostPort)).toStartWith("from ");
  });

  test("an address that this host has not is refused in Docker's words", async () => {
    const engine = await bed.newEngine();
    await expect(connect(engine, [published(80, 8080, { hostIp: "203.0.113.9" })])).rejects.toThrow(
      "listen tcp4 203.0.113.9:8080: bind: cannot assign requested address",
    );
  });
});

describe("the way out", () => {
  let outside: { netnsPath: string };
  beforeEach(() => {
    // A host on another link, with no route to any container.
    outside = { netnsPath: join(bed.scratch, "outside") };
    execFileSync("touch", [outside.netnsPath]);
    const host = `/proc/${process.pid}/ns/net`;
    const commands = `link set lo up
link add name eth0 type veth peer name berth-outside netns ${host}
address add 198.51.100.2/24 dev eth0
link set eth0 up
`;
    execFileSync("unshare", [`--net=${outside.netnsPath}`, "ip", "-batch", "-"], { input: commands });
    execFileSync("ip", ["address", "add", "198.51.100.1/24", "dev", "berth-outside"]);
    execFileSync("ip", ["link", "set", "berth-outside", "up"]);
  });
  afterEach(() => {
    execFileSync("ip", ["link", "delete", "berth-outside"]);
    execFileSync("umount", [outside.netnsPath]);
  });

  test("containers reach outside hosts under this host's address; ports are published there too", async () => {
    const engine = await bed.newEngine();
    const container = await connect(engine, [published(80)]);
    bed.serveTcp(outside, 80);
    expect(askTcp("198.51.100.2", 80, container)).toBe("from 198.51.100.1");
    bed.serveTcp(container, 80);
    expect(askTcp("198.51.100.1", container.ports[0]!.hostPort, outside)).toBe("from 198.51.100.2");
  });

  test("outside hosts that know a route reach no port that is not published, and none published on 127.0.0.1", async () => {
    const engine = await bed.newEngine();
    const container = await connect(engine, [published(81, 0, { hostIp: "127.0.0.1" })]);
    bed.serveTcp(container, 80);
    bed.serveTcp(container, 81);
    expect(askTcp(container.ipv4, 80)).toStartWith("from ");
    inside(outside, "ip", "route", "add", "default", "via", "198.51.100.1");
    inside(outside, "ip", "route", "add", "127.0.0.2/32", "via", "198.51.100.1");
    expect(refuses(container.ipv4, 80, outside)).toBe(true);
    expect(refuses("127.0.0.2", container.ports[0]!.hostPort, outside)).toBe(true);
  });

  test("an internal network has none", async () => {
    const engine = await bed.newEngine({ internal: true });
    const [left, right] = [await connect(engine), await connect(engine)];
    expect(pings(left, right.ipv4)).toBe(true);
    inside(left, "ip", "route", "add", "default", "via", engine.network.ipv4!.gateway);
    bed.serveTcp(outside, 80);
    expect(refuses("198.51.100.2", 80, left)).toBe(true);
  });
});

describe("LinuxNetworkDriver.restore()", () => {
  test("takes up running containers: addresses, ports and lost rules; sweeps other namespaces", async () => {
    const engine = await bed.newEngine();
    const kept = await connect(engine, [published(80)]);
    const dead = await connect(engine);
    bed.serveTcp(kept, 80);
    execFileSync("nft", ["delete", "table", "ip", `berth_${engine.name}`]);
    const restarted = bed.restart(engine);
    await restarted.driver.restore([kept], [engine.network]);
    expect(askTcp("127.0.0.1", kept.ports[0]!.hostPort)).toStartWith("from ");
    expect(existsSync(dead.netnsPath)).toBe(false);
    const next = await open(restarted, "next");
    expect(next.ipv4).not.toBe(kept.ipv4);
    await expect(open(restarted, "thief", [published(80, kept.ports[0]!.hostPort)])).rejects.toThrow(ConflictError);
  });

  test("goes on without a network whose subnet another has by now, and without ports whose address is gone", async () => {
    const [engine, other] = await Promise.all([bed.newEngine(), bed.newEngine()]);
    const lost = await connect(engine);
    const ports = [{ ...published(80, 18_080), hostIp: "192.0.2.77" }];
    execFileSync("ip", ["link", "delete", engine.network.interfaceName]);
    const block = { ...other.network.ipv4!, chosen: false };
    const problems = await bed
      .restart(engine)
      .driver.restore([{ ...lost, ports }], [{ ...engine.network, ipv4: block }]);
    expect(problems).toEqual([{ network: engine.network.name, error: expect.any(ForbiddenError) }]);
  });

  test("with no running container removes rules that a crash left", async () => {
    const engine = await bed.newEngine();
    await connect(engine, [published(80)]);
    const restarted = bed.restart(engine);
    await restarted.driver.restore([], [engine.network]);
    expect(execFileSync("nft", ["list", "tables"], { encoding: "utf8" })).not.toContain(engine.name);
    expect(readdirSync(engine.netnsDirectory)).toEqual([]);
  });
});

test("LinuxNetworkDriver puts its rules back when someone flushed them", async () => {
  const engine = await bed.newEngine();
  const first = await connect(engine, [published(80)]);
  execFileSync("nft", ["delete", "table", "ip", `berth_${engine.name}`]);
  await connect(engine, [published(80)]);
  bed.serveTcp(first, 80);
  expect(askTcp("127.0.0.1", first.ports[0]!.hostPort)).toStartWith("from ");
});

test("LinuxNetworkDriver: two engines side by side do not disturb each other", async () => {
  const [left, right] = await Promise.all([bed.newEngine(), bed.newEngine()]);
  expect(left.network.ipv4!.subnet).not.toBe(right.network.ipv4!.subnet);
  const [a, b] = [await connect(left, [published(80)]), await connect(right, [published(80)])];
  bed.serveTcp(a, 80);
  await right.driver.close(b.containerId);
  await right.driver.cleanUp();
  expect(leftovers(right.name)).toEqual([]);
  expect(askTcp("127.0.0.1", a.ports[0]!.hostPort)).toStartWith("from ");
});

test("LinuxNetworkDriver refuses an engine name that does not fit into interface names", () => {
  expect(bed.newEngine({}, "Not-Good")).rejects.toThrow(InvalidParameterError);
});

function askUdp(address: string, port: number): string {
  const command = ["-T", "0.3", "-", `UDP4:${address}:${port}`];
  return execFileSync("socat", command, {
    encoding: "utf8",
    input: "hello\n",
    stdio: ["pipe", "pipe", "ignore"],
  }).trim();
}

/** Tries until the answer is not empty: a UDP server cannot say when it is ready. */
async function eventually(ask: () => string): Promise<string> {
  for (let attempt = 0; attempt < 60; attempt++) {
    const answer = await Promise.try(ask).catch(() => "");
    if (answer !== "") return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return "";
}

function listen(host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}
