/** Networks whose configuration is another's, bridges that somebody else made, and what interfaces and resolv.conf are inside. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

async function failure(...args: readonly string[]): Promise<string> {
  const { exitCode, stderr } = await engine.berth(args);
  expect(exitCode).not.toBe(0);
  return (stderr.split("\n")[0] ?? "").replace(/^(docker: )?Error response from daemon: /, "");
}

const inspect = (name: string, format: string): Promise<string> =>
  engine.ok(["network", "inspect", "--format", format, name]);

describe("a configuration network", () => {
  test("lends subnet, options and labels to those made from it, over a restart of the engine too", async () => {
    const own = ["--subnet", "10.213.40.0/24", "-o", "com.docker.network.driver.mtu=1400", "--label", "a=b"];
    await engine.ok(["network", "create", "--config-only", ...own, "lender"]);
    expect(await inspect("lender", "{{.ConfigOnly}} {{.Driver}} {{json .IPAM.Config}} {{json .Labels}}")).toBe(
      'true null [{"Subnet":"10.213.40.0/24"}] {"a":"b"}',
    );
    await engine.stop();
    await engine.start();
    await engine.ok(["network", "create", "--config-from", "lender", "--internal", "borrower"]);
    expect(await inspect("borrower", "{{json .ConfigFrom}} {{json .Options}} {{json .Labels}} {{.Internal}}")).toBe(
      '{"Network":"lender"} {"com.docker.network.driver.mtu":"1400"} {"a":"b"} true',
    );
    expect(await engine.ok(["run", "--rm", "--network", "borrower", "busybox", "ip", "addr", "show", "eth0"])).toMatch(
      /mtu 1400[\s\S]*inet 10\.213\.40\.2\/24/,
    );
    expect(await failure("network", "rm", "lender")).toBe(
      'error while removing network: configuration network "lender" is in use',
    );
    expect(await failure("run", "--rm", "--network", "lender", "busybox", "true")).toContain(
      "cannot create endpoint on configuration-only network",
    );
    await engine.ok(["network", "prune", "-f"]);
    expect(await engine.ok(["network", "ls", "--filter", "type=custom", "--format", "{{.Name}} {{.Driver}}"])).toBe(
      "lender null",
    );
    await engine.ok(["network", "rm", "lender"]);
  }, 30_000);

  test("refuses what contradicts it in docker's words", async () => {
    await engine.ok(["network", "create", "--config-only", "lender"]);
    const create = (...args: string[]): Promise<string> => failure("network", "create", ...args, "refused");
    const depends = "if the network depends on a configuration network";
    expect(await create("--config-from", "lender", "--subnet", "10.213.41.0/24")).toBe(
      `user specified configurations are not supported ${depends}`,
    );
    expect(await create("--config-from", "lender", "-o", "a=b")).toBe(
      `network driver options are not supported ${depends}`,
    );
    expect(await create("--config-from", "lender", "--config-only")).toBe(
      "a configuration network cannot depend on another configuration network",
    );
    expect(await create("--config-only", "--internal")).toStartWith(
      "configuration network can only contain network specific fields.",
    );
    expect(await create("--config-from", "nope")).toBe('configuration network "nope" does not exist');
    await engine.ok(["network", "rm", "lender"]);
  });
});

test("a network may have packets smaller than IPv6's, then without IPv6, and a container may do without IPv6", async () => {
  const mtu = ["-o", "com.docker.network.driver.mtu=1234"];
  await engine.ok(["network", "create", ...mtu, "small"]);
  const sysctl = ["--sysctl", "net.ipv6.conf.all.disable_ipv6=1"];
  const shown = "cat /sys/class/net/eth0/mtu; cat /etc/hosts";
  expect(await engine.ok(["run", "--rm", "--network", "small", ...sysctl, "busybox", "sh", "-c", shown])).toMatch(
    /^1234\n127\.0\.0\.1\tlocalhost\n[0-9.]+\t[0-9a-f]{12}$/,
  );
  await engine.ok(["network", "rm", "small"]);
  const subnet = ["--ipv6", "--subnet", "FD00:0213:43::/64"];
  expect(await failure("network", "create", ...mtu, ...subnet, "six")).toBe(
    'cannot enable IPv6 on network "six": its MTU is 1234 bytes, and IPv6 needs at least 1280',
  );
  await engine.ok(["network", "create", ...subnet, "six"]);
  expect(await inspect("six", "{{range .IPAM.Config}}{{.Subnet}} {{end}}")).toContain("FD00:0213:43::/64");
  await engine.ok(["network", "rm", "six"]);
});

describe("a bridge that is there already", () => {
  test("is used by its name, and stays when the network goes", async () => {
    const name = `brn${process.pid}`;
    await run("ip", ["link", "add", name, "type", "bridge"]);
    try {
      const subnet = ["--subnet", "10.213.42.0/24"];
      const option = ["-o", `com.docker.network.bridge.name=${name}`];
      await engine.ok(["network", "create", ...subnet, ...option, "outside"]);
      expect(await engine.ok(["run", "--rm", "--network", "outside", "busybox", "ip", "route"])).toContain(
        "default via 10.213.42.1",
      );
      expect(await failure("network", "create", ...option, "second")).toMatch(
        /^cannot create network [0-9a-f]{64} \(brn\d+\): conflicts with network [0-9a-f]{64} \(brn\d+\): networks have same bridge name$/,
      );
      await engine.ok(["network", "rm", "outside"]);
      expect((await run("ip", ["-o", "link", "show", "dev", name, "type", "bridge"])).stdout).toContain(name);
    } finally {
      await run("ip", ["link", "del", name]);
    }
    expect(await failure("network", "create", "-o", "com.docker.network.bridge.name=lo", "outside")).toContain(
      'this host has an interface "lo" that is no bridge',
    );
  }, 30_000);

  test("is one network's, though several are made at the same moment", async () => {
    const option = ["-o", `com.docker.network.bridge.name=brs${process.pid}`];
    const names = ["one", "two", "three", "four"].map((name) => `same-${name}`);
    const made = await Promise.all(names.map((name) => engine.berth(["network", "create", ...option, name])));
    expect(made.filter(({ exitCode }) => exitCode === 0)).toHaveLength(1);
    await engine.ok(["network", "rm", ...names.filter((_, index) => made[index]?.exitCode === 0)]);
  }, 30_000);
});

describe("a container's interface", () => {
  test("has no IPv6 without IPv6 addresses, and the parameters that its endpoint asks for, at start and when connected", async () => {
    await engine.ok(["network", "create", "four"]);
    await engine.ok(["network", "create", "--ipv6", "six"]);
    const sysctls =
      "com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.conf.IFNAME.forwarding=0";
    const network = `name=four,"driver-opt=${sysctls.replace(/,.*/, "")}"`;
    await engine.ok(["run", "-d", "--name", "held", "--network", network, "busybox", "sleep", "60"]);
    await engine.ok(["network", "connect", "--driver-opt", sysctls, "six", "held"]);
    const read = (path: string): Promise<string> => engine.ok(["exec", "held", "cat", `/proc/sys/net/${path}`]);
    expect(await read("ipv6/conf/eth0/disable_ipv6")).toBe("1");
    expect(await read("ipv6/conf/eth1/disable_ipv6")).toBe("0");
    expect(await read("ipv4/conf/eth0/log_martians")).toBe("1");
    expect(await read("ipv4/conf/eth1/forwarding")).toBe("0");
    await engine.ok(["rm", "-f", "held"]);
    const bad = (text: string): Promise<string> => {
      const option = `com.docker.network.endpoint.sysctls=${text}`;
      return failure("run", "--rm", "--network", `name=four,driver-opt=${option}`, "busybox", "true");
    };
    expect(await bad("net.ipv4.conf.eth0.log_martians=1")).toContain("must be represented by 'IFNAME'");
    expect(await bad("net.ipv4.conf.IFNAME.nope=1")).toContain("unable to set sysctl net.ipv4.conf.eth0.nope=1");
    await engine.ok(["network", "rm", "four", "six"]);
  }, 30_000);
});

describe("resolv.conf", () => {
  test("has docker's comments, and stays as it is once somebody has edited it", async () => {
    await engine.ok(["network", "create", "named"]);
    await engine.ok(["run", "-d", "--name", "asks", "--network", "named", "busybox", "sleep", "60"]);
    const read = (): Promise<string> => engine.ok(["exec", "asks", "cat", "/etc/resolv.conf"]);
    expect(await read()).toMatch(
      /^# Generated by Docker Engine\.\n[\s\S]*\nnameserver 127\.0\.0\.11\n[\s\S]*\(internal resolver\)\n# ExtServers: \[.+\]\n# Overrides: \[\]\n# Option ndots from: internal$/,
    );
    await engine.ok(["restart", "-t", "0", "asks"]);
    expect(await read()).toContain("nameserver 127.0.0.11");
    await engine.ok(["exec", "asks", "sh", "-c", "echo nameserver 192.0.2.7 > /etc/resolv.conf"]);
    await engine.ok(["restart", "-t", "0", "asks"]);
    expect(await read()).toBe("nameserver 192.0.2.7");
    await engine.ok(["rm", "-f", "asks"]);
    await engine.ok(["network", "rm", "named"]);
  }, 30_000);
});
