/** What daemon.json and flags make of an engine, its networks and its containers. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { removeCgroups } from "../../tools/harness/cgroups.ts";
import { run } from "../../tools/harness/child.ts";
import { BERTH, PrivateEngine } from "../../tools/harness/private-engine.ts";

let engine: PrivateEngine;
let directory: string;
/** Who names a parent cgroup has it to keep. */
let cgroupParent: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "berth-options-"));
  cgroupParent = `/berth-${basename(directory)}`;
  configure({});
  const daemonArgs = ["--config-file", join(directory, "daemon.json"), "--pidfile", join(directory, "pid")];
  engine = await PrivateEngine.start({ daemonArgs });
  await makeBusybox(engine);
}, 60_000);

afterAll(async () => {
  await engine.close();
  removeCgroups(cgroupParent);
  rmSync(directory, { recursive: true });
}, 60_000);

function configure(content: unknown): void {
  writeFileSync(join(directory, "daemon.json"), JSON.stringify(content));
}

async function restartWith(content: unknown): Promise<void> {
  configure(content);
  await engine.stop();
  await engine.start();
}

/** SIGHUP; resolves when the engine's log says what became of it. */
async function reload(content: unknown): Promise<string> {
  configure(content);
  const before = engine.log().length;
  process.kill(engine.pid, "SIGHUP");
  const said = (): string => engine.log().slice(before);
  while (!/Reloaded configuration|level=error/.test(said())) await Bun.sleep(10);
  return said();
}

const inspect = async (name: string, format: string): Promise<string> =>
  engine.ok(["inspect", "--format", format, name]);
const info = (format: string): Promise<string> => engine.ok(["info", "--format", format]);
const inContainer = (script: string, ...flags: string[]): Promise<string> =>
  engine.ok(["run", "--rm", ...flags, "busybox", "sh", "-c", script]);

describe("berth daemon", () => {
  test("checks its configuration and ends, with --validate", async () => {
    const validate = (...args: string[]) => run(BERTH, ["daemon", "--validate", ...args]);
    const config = join(directory, "daemon.json");
    expect(await validate("--config-file", config)).toMatchObject({ exitCode: 0, stdout: "configuration OK\n" });
    const wrong = await validate("--config-file", config, "--default-ipc-mode", "host");
    expect(wrong).toMatchObject({ exitCode: 1, stdout: "" });
    expect(wrong.stderr).toContain('IPC mode "host" is not supported as default value; use "shareable" or "private"');
    expect((await run(BERTH, ["daemon", "--version"])).stdout).toStartWith("Berth version ");
    expect((await run(BERTH, ["daemon", "--help"])).stdout).toContain("--default-address-pool pool-options");
  });

  test("writes its pid, and takes no pid file of a process that lives", async () => {
    expect(readFileSync(join(directory, "pid"), "utf8")).toBe(String(engine.pid));
    const roots = ["--data-root", `${engine.dataRoot}2`, "--exec-root", `${engine.execRoot}2`];
    const second = await run(BERTH, ["daemon", ...roots, "--pidfile", join(directory, "pid")]);
    rmSync(`${engine.dataRoot}2`, { recursive: true });
    rmSync(`${engine.execRoot}2`, { recursive: true });
    expect(second.stderr).toContain(`process with PID ${engine.pid} is still running`);
  });

  test("gives containers what daemon.json says, where they say nothing themselves", async () => {
    await restartWith({
      "default-ulimits": { nofile: { Name: "nofile", Soft: 150, Hard: 200 } },
      "default-shm-size": "16m",
      "default-ipc-mode": "shareable",
      dns: ["192.0.2.1"],
      "dns-search": ["example.org"],
      "dns-opts": ["ndots:2"],
      init: true,
      "no-new-privileges": true,
      "seccomp-profile": "unconfined",
      "cgroup-parent": cgroupParent,
      "host-gateway-ip": "192.0.2.9",
    });
    const script = "ulimit -n; df -k /dev/shm | tail -1; cat /proc/self/status /etc/resolv.conf /etc/hosts; ps";
    const seen = await inContainer(script, "--add-host", "gate:host-gateway");
    expect(seen).toStartWith("150\n");
    expect(seen).toMatch(/^shm +16384 /m);
    expect(seen).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(seen).toMatch(/^Seccomp:\s+0$/m);
    expect(seen).toContain("nameserver 192.0.2.1\nsearch example.org\noptions ndots:2\n");
    expect(seen).toContain("192.0.2.9\tgate");
    expect(seen).toMatch(/1 root +\/sbin\/docker-init --/);
    const own = [
      "--ulimit",
      "nofile=90",
      "--init=false",
      "--security-opt",
      "no-new-privileges=false",
      "--dns",
      "192.0.2.2",
    ];
    const other = await inContainer(script, ...own);
    expect(other).toStartWith("90\n");
    expect(other).toMatch(/^NoNewPrivs:\s+0$/m);
    expect(other).toContain("nameserver 192.0.2.2\n");
    expect(other).not.toContain("docker-init");
    await engine.ok(["run", "-d", "--name", "settled", "busybox", "sleep", "60"]);
    expect(readFileSync(`/proc/${await inspect("settled", "{{.State.Pid}}")}/cgroup`, "utf8")).toContain(
      `${cgroupParent}/`,
    );
    // What the engine says of the moment is no part of the container.
    expect(
      await inspect("settled", "{{.HostConfig.IpcMode}} {{.HostConfig.ShmSize}} {{json .HostConfig.Ulimits}}"),
    ).toMatch(/^shareable 16777216 (null|\[\])$/);
    expect(await info("{{json .SecurityOptions}} {{json .Warnings}}")).toMatch(
      /profile=unconfined.*name=no-new-privileges.*daemon is not using the default seccomp profile/,
    );
    await engine.ok(["rm", "-f", "settled"]);
  }, 60_000);

  test("makes the default bridge as daemon.json says, and anew when that changes", async () => {
    await restartWith({
      bip: "10.213.77.1/24",
      "fixed-cidr": "10.213.77.128/25",
      "default-gateway": "10.213.77.200",
      mtu: 1400,
      icc: false,
      ip: "127.0.0.1",
      "ip-masq": false,
      "default-address-pools": [{ base: "10.213.80.0/20", size: 24 }],
      "default-network-opts": { bridge: { "com.docker.network.driver.mtu": "1300" } },
    });
    const bridge = JSON.parse(await engine.ok(["network", "inspect", "--format", "{{json .}}", "bridge"]));
    expect(bridge.IPAM.Config).toEqual([
      {
        Subnet: "10.213.77.0/24",
        IPRange: "10.213.77.128/25",
        Gateway: "10.213.77.1",
        AuxiliaryAddresses: { DefaultGatewayIPv4: "10.213.77.200" },
      },
    ]);
    expect(bridge.Options).toMatchObject({
      "com.docker.network.bridge.enable_icc": "false",
      "com.docker.network.bridge.enable_ip_masquerade": "false",
      "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1",
      "com.docker.network.driver.mtu": "1400",
    });
    const seen = await inContainer("ip addr show eth0; ip route");
    expect(seen).toContain("mtu 1400");
    expect(seen).toContain("inet 10.213.77.128/24");
    expect(seen).toContain("default via 10.213.77.200 dev eth0");
    await engine.ok(["run", "-d", "--name", "bound", "-p", "80", "busybox", "sleep", "60"]);
    expect(await engine.ok(["port", "bound"])).toMatch(/^80\/tcp -> 127\.0\.0\.1:\d+$/);
    await engine.ok(["network", "create", "pooled"]);
    expect(await inspect("pooled", "{{(index .IPAM.Config 0).Subnet}} {{json .Options}}")).toBe(
      '10.213.80.0/24 {"com.docker.network.driver.mtu":"1300"}',
    );
    expect(await info("{{json .DefaultAddressPools}}")).toBe('[{"Base":"10.213.80.0/20","Size":24}]');
    await engine.ok(["network", "rm", "pooled"]);
    // A container is on it: it stays.
    await restartWith({ bip: "10.213.78.1/24" });
    expect(engine.log()).toContain("the default network keeps its addresses (10.213.77.0/24)");
    expect(await inContainer("ip route")).toContain("via 10.213.77.200");
    await engine.ok(["rm", "-f", "bound"]);
    await restartWith({ bip: "10.213.78.1/24" });
    expect(await inContainer("ip route")).toContain("default via 10.213.78.1");
  }, 60_000);

  test("makes no default bridge with `none`: containers have their loopback alone", async () => {
    await restartWith({ bridge: "none" });
    expect(await engine.ok(["network", "ls", "--format", "{{.Name}}"])).toBe("host\nnone");
    expect(await engine.ok(["run", "--name", "alone", "busybox", "ls", "/sys/class/net"])).toBe("lo");
    expect(await inspect("alone", "{{.HostConfig.NetworkMode}} {{.Config.NetworkDisabled}}")).toBe("bridge true");
    await engine.ok(["rm", "alone"]);
    const gate = await engine.berth(["run", "--rm", "--add-host", "gate:host-gateway", "busybox", "true"]);
    expect(gate.stderr).toContain("unable to derive the IP value for host-gateway");
    await restartWith({});
    expect(await engine.ok(["network", "ls", "--format", "{{.Name}}"])).toBe("bridge\nhost\nnone");
  }, 30_000);

  test("uses a bridge that is there, with its addresses, and leaves it", async () => {
    const name = `brt${process.pid}`;
    await run("ip", ["link", "add", name, "type", "bridge"]);
    try {
      await run("ip", ["addr", "add", "10.213.90.1/24", "dev", name]);
      await restartWith({ bridge: name });
      expect(await inspect("bridge", "{{json .IPAM.Config}}")).toBe(
        '[{"Subnet":"10.213.90.0/24","Gateway":"10.213.90.1"}]',
      );
      expect(await inContainer("ip addr show eth0")).toContain("inet 10.213.90.2/24");
      await restartWith({});
      expect((await run("ip", ["-o", "link", "show", "dev", name, "type", "bridge"])).stdout).toContain(name);
    } finally {
      await run("ip", ["link", "del", name]);
    }
    configure({ bridge: name });
    await engine.stop();
    await expect(engine.start()).rejects.toThrow(
      `bridge device with non default name ${name} must be created manually`,
    );
    configure({});
    await engine.start();
  }, 30_000);

  test("makes no rules with iptables=false: the relay leads to published ports", async () => {
    await restartWith({ iptables: false, ip6tables: false });
    await engine.ok(["run", "-d", "--name", "served", "-p", "127.0.0.1::80", "busybox", "httpd", "-f", "-p", "80"]);
    const port = (await engine.ok(["port", "served"])).split(":").at(-1);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
    const table = (await inspect("bridge", '{{index .Options "com.docker.network.bridge.name"}}')).replace(
      "berth-",
      "berth_",
    );
    expect((await run("nft", ["list", "tables"])).stdout).not.toContain(table);
    await restartWith({});
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
    expect((await run("nft", ["list", "tables"])).stdout).toContain(table);
    await engine.ok(["rm", "-f", "served"]);
  }, 30_000);

  test("reads the file again on SIGHUP, tells it, and keeps what it has when it cannot", async () => {
    const start = Math.floor(Date.now() / 1000);
    await reload({
      labels: ["place=here"],
      debug: true,
      "registry-mirrors": ["http://m.test"],
      "default-shm-size": "32m",
    });
    expect(await info("{{json .Labels}} {{.Debug}} {{.RegistryConfig.Mirrors}}")).toBe(
      '["place=here"] true [http://m.test/]',
    );
    expect(await inContainer("df -k /dev/shm | tail -1")).toMatch(/^shm +32768 /);
    expect(await reload({ zip: 1 })).toContain("the following directives don't match any configuration option: zip");
    expect(await info("{{json .Labels}}")).toBe('["place=here"]');
    const until = String(Math.ceil(Date.now() / 1000) + 1);
    const told = await engine.ok([
      ...["events", "--since", String(start), "--until", until, "--filter", "type=daemon", "--format", "{{json .}}"],
    ]);
    const [event, ...more] = told.split("\n").map((line) => JSON.parse(line));
    expect(more).toEqual([]);
    expect(event).toMatchObject({ Type: "daemon", Action: "reload" });
    expect(event.Actor.Attributes).toMatchObject({
      debug: "true",
      labels: '["place=here"]',
      "registry-mirrors": '["http://m.test"]',
      "default-shm-size": "33554432",
      "live-restore": "true",
      "shutdown-timeout": "15",
    });
    await reload({});
  }, 30_000);

  test("ends containers at its own end with live-restore=false; those that are always to run start with it", async () => {
    await reload({ "live-restore": false, "shutdown-timeout": 5 });
    expect(await info("{{.LiveRestoreEnabled}}")).toBe("false");
    const script = "trap 'exit 3' TERM; echo ready; sleep 60 & wait";
    for (const [name, policy] of [
      ["once", "no"],
      ["always", "unless-stopped"],
    ] as const) {
      await engine.ok(["run", "-d", "--name", name, "--restart", policy, "busybox", "sh", "-c", script]);
      while ((await engine.ok(["logs", name])) !== "ready") await Bun.sleep(20);
    }
    await restartWith({});
    expect(await inspect("once", "{{.State.Status}} {{.State.ExitCode}}")).toBe("exited 3");
    while ((await inspect("always", "{{.State.Status}}")) !== "running") await Bun.sleep(20);
    await engine.ok(["rm", "-f", "once", "always"]);
  }, 30_000);

  test("with live-restore=false ends what an engine that was killed left running, before it answers", async () => {
    await restartWith({ "live-restore": false });
    const script = "trap 'exit 3' TERM; echo ready; sleep 60 & wait";
    for (const [name, policy] of [
      ["once", "no"],
      ["always", "always"],
    ] as const) {
      await engine.ok(["run", "-d", "--name", name, "--restart", policy, "busybox", "sh", "-c", script]);
      while ((await engine.ok(["logs", name])) !== "ready") await Bun.sleep(20);
    }
    await engine.crash();
    await engine.start();
    expect(await inspect("once", "{{.State.Status}} {{.State.ExitCode}}")).toBe("exited 3");
    while ((await engine.ok(["logs", "always"])) !== "ready\nready") await Bun.sleep(20);
    await engine.ok(["rm", "-f", "once", "always"]);
    await restartWith({});
  }, 30_000);

  test("a container that outlives the time for the engine's end keeps its restart policy", async () => {
    await reload({ "live-restore": false, "shutdown-timeout": 1 });
    const script = "trap '' TERM; echo ready; while [ ! -e /go ]; do sleep 0.1; done";
    const patience = ["--restart", "unless-stopped", "--stop-timeout", "300"];
    await engine.ok(["run", "-d", "--name", "stubborn", ...patience, "busybox", "sh", "-c", script]);
    while ((await engine.ok(["logs", "stubborn"])) !== "ready") await Bun.sleep(20);
    await restartWith({});
    expect(await inspect("stubborn", "{{.State.Status}} {{.RestartCount}}")).toBe("running 0");
    await engine.ok(["exec", "stubborn", "touch", "/go"]);
    while ((await inspect("stubborn", "{{.RestartCount}}")) === "0") {
      expect(await inspect("stubborn", "{{.State.Status}}")).not.toBe("exited");
      await Bun.sleep(20);
    }
    await engine.ok(["rm", "-f", "stubborn"]);
  }, 30_000);

  test("gives its socket to a group, serves metrics, and logs JSON", async () => {
    await restartWith({ group: "daemon", "metrics-addr": "127.0.0.1:29323", "log-format": "json" });
    expect(statSync(engine.socket).gid).toBe(1);
    const metrics = await (await fetch("http://127.0.0.1:29323/metrics")).text();
    expect(metrics).toContain('engine_daemon_container_states_containers{state="running"} 0\n');
    expect(metrics).toMatch(/^engine_daemon_engine_info\{.*version="/m);
    expect(JSON.parse(engine.log().trim().split("\n").at(-1) ?? "")).toMatchObject({ level: "info" });
    await restartWith({});
  }, 30_000);
});
