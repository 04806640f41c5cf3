import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

/** What the engine makes of create's Config and HostConfig, as any client of the API sees it. */

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

type Json = Record<string, unknown>;
interface Answer {
  readonly status: number;
  readonly body: Json;
}

async function api(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`http://engine${path}`, {
    unix: engine.socket,
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
}

async function create(body: Json, query = "", version = "v1.51"): Promise<Answer> {
  return await api("POST", `/${version}/containers/create${query}`, { Image: "busybox", Cmd: ["true"], ...body });
}

async function inspect(id: unknown, version = "v1.51"): Promise<Json> {
  return (await api("GET", `/${version}/containers/${id}/json`)).body;
}

/** Runs a command to its end with this HostConfig and gives what it wrote. */
async function output(Cmd: readonly string[], HostConfig: Json, config: Json = {}): Promise<string> {
  const { status, body } = await create({ Cmd, HostConfig, ...config });
  expect([status, body["message"]]).toEqual([201, undefined]);
  const { status: started, body: problem } = await api("POST", `/containers/${body["Id"]}/start`);
  expect([started, problem]).toEqual([204, {}]);
  await api("POST", `/containers/${body["Id"]}/wait`);
  const text = await engine.ok(["logs", String(body["Id"])]);
  await engine.ok(["rm", String(body["Id"])]);
  return text;
}

const MB = 1024 * 1024;
const isCgroup2 = existsSync("/sys/fs/cgroup/cgroup.controllers");

describe("POST /containers/create", () => {
  test("gives a container the namespaces, names and devices that it asks for", async () => {
    const [hostUts, domain, rule, device, sysctl] = await Promise.all([
      output(["hostname"], { UTSMode: "host" }),
      output(
        ["cat", "/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname"],
        {},
        { Hostname: "h", Domainname: "d.example" },
      ),
      output(["true"], { DeviceCgroupRules: ["c 42:* rwm"], Annotations: { a: "b" } }),
      output(["ls", "/dev/other"], { Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/other" }] }),
      output(["cat", "/proc/sys/net/core/somaxconn"], { Sysctls: { "net.core.somaxconn": "99" } }),
    ]);
    expect(hostUts).toBe((await import("node:os")).hostname());
    expect(domain).toBe("h\nd.example");
    expect([rule, device, sysctl]).toEqual(["", "/dev/other", "99"]);
  }, 120_000);

  test.skipIf(isCgroup2)(
    "sets the limits of cgroup v1, below the parent that was asked for",
    async () => {
      const parent = `/berth-${basename(engine.directory)}`;
      const text = await output(
        [
          "sh",
          "-c",
          "cd /sys/fs/cgroup; cat memory/memory.swappiness memory/memory.soft_limit_in_bytes; head -1 memory/memory.oom_control; cat cpu/cpu.shares cpuset/cpuset.cpus; grep pids /proc/self/cgroup",
        ],
        {
          Memory: 64 * MB,
          MemorySwappiness: 7,
          MemoryReservation: 32 * MB,
          OomKillDisable: true,
          CpuShares: 512,
          CpusetCpus: "0",
          CgroupParent: `${parent}/../${parent}`,
        },
      );
      expect(text.split("\n").slice(0, 5)).toEqual(["7", String(32 * MB), "oom_kill_disable 1", "512", "0"]);
      expect(text.split("\n")[5]).toContain(`${parent}/`);
      const { readdirSync, rmdirSync } = await import("node:fs");
      for (const tree of readdirSync("/sys/fs/cgroup")) {
        if (existsSync(`/sys/fs/cgroup/${tree}${parent}`)) rmdirSync(`/sys/fs/cgroup/${tree}${parent}`);
      }
    },
    120_000,
  );

  test("says at the start what the machine does not let the engine give", async () => {
    const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
    // CAP_SYS_RESOURCE, with which nothing is refused.
    if ((BigInt(`0x${capabilities}`) >> 24n) & 1n) return;
    const failure = async (HostConfig: Json): Promise<unknown> => {
      const { body } = await create({ HostConfig });
      return (await api("POST", `/containers/${body["Id"]}/start`)).body["message"];
    };
    expect(await failure({ OomScoreAdj: -1000 })).toContain("it lacks CAP_SYS_RESOURCE");
    expect(await failure({ Ulimits: [{ Name: "rtprio", Soft: 99, Hard: 99 }] })).toContain("it lacks CAP_SYS_RESOURCE");
  });

  test("warns of what it discards", async () => {
    const { body } = await create({
      HostConfig: { CpuPercent: 5, NetworkMode: "host", PortBindings: { "80/tcp": [{ HostPort: "80" }] } },
    });
    expect(body["Warnings"]).toEqual([
      "linux does not support CPU percent. Percent discarded.",
      "Published ports are discarded when using host network mode",
    ]);
  });

  test("refuses what it cannot give, and leaves nothing of it", async () => {
    const before = (await api("GET", "/containers/json?all=1")).body;
    const refused = await Promise.all([
      create({ HostConfig: { Runtime: "nope" } }),
      create({ HostConfig: { IpcMode: "container:nope" } }),
      create({}, "?platform=linux/arm64"),
      create({}, "?name=a/b"),
      create({ Image: "" }),
      create({ HostConfig: { Memory: "1g" } }),
    ]);
    expect(refused.map(({ status }) => status)).toEqual([400, 400, 404, 400, 400, 400]);
    expect(refused[5]?.body["message"]).toBe(
      "invalid JSON: json: cannot unmarshal string into Go struct field HostConfig.HostConfig.Memory of type int64",
    );
    expect((await api("GET", "/containers/json?all=1")).body).toEqual(before);
  });

  test("shares an IPC namespace only of a container that was made for it", async () => {
    const { body: own } = await create({ Cmd: ["top"] });
    const { body: open } = await create({ HostConfig: { IpcMode: "shareable" } });
    const { body: old } = await create({}, "", "v1.39");
    const join = (id: unknown): Promise<Answer> => create({ HostConfig: { IpcMode: `container:${id}` } });
    const { body: guest } = await join(own["Id"]);
    await engine.ok(["start", String(own["Id"])]);
    const { status, body: problem } = await api("POST", `/containers/${guest["Id"]}/start`);
    expect([status, problem["message"]]).toEqual([400, expect.stringContaining("non-shareable IPC")]);
    await engine.ok(["rm", "-f", String(own["Id"])]);
    expect((await join(open["Id"])).status).toBe(201);
    expect((await join(old["Id"])).status).toBe(201);
  });

  test("makes the same container again from what inspect shows of it, as watchtower does", async () => {
    const { body } = await create({
      Env: ["A=b"],
      Labels: { x: "y" },
      ExposedPorts: { "80/tcp": {} },
      HostConfig: {
        Memory: 64 * MB,
        Privileged: true,
        PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] },
        Ulimits: [{ Name: "nofile", Soft: 100, Hard: 200 }],
        Init: false,
      },
    });
    const first = await inspect(body["Id"], "v1.25");
    const { Config, HostConfig } = first as { Config: Json; HostConfig: Json };
    const again = await api("POST", "/v1.25/containers/create", { ...Config, Hostname: "", HostConfig });
    expect(again.status).toBe(201);
    const second = await inspect(again.body["Id"], "v1.25");
    expect(second["HostConfig"]).toEqual(HostConfig);
    expect({ ...(second["Config"] as Json), Hostname: "" }).toEqual({ ...Config, Hostname: "" });
  });
});

test("mounts below a read-only bind are read-only too, but not before API 1.44; exec has the container's further groups", async () => {
  const shown = async (version: string, HostConfig: Json): Promise<string> => {
    const Cmd = ["grep", " /dev/shm ", "/proc/self/mountinfo"];
    const { body } = await create({ Cmd, HostConfig }, "", version);
    await api("POST", `/containers/${body["Id"]}/start`);
    await api("POST", `/containers/${body["Id"]}/wait`);
    const text = await engine.ok(["logs", String(body["Id"])]);
    return / \/dev\/shm (r[ow]),/.exec(text)?.[1] ?? text;
  };
  const Binds = { Binds: ["/dev:/dev:ro"] };
  const Mounts = { Mounts: [{ Type: "bind", Source: "/dev", Target: "/dev", ReadOnly: true }] };
  expect(await shown("v1.44", Binds)).toBe("ro");
  expect(await shown("v1.43", Binds)).toBe("rw");
  expect(await shown("v1.43", Mounts)).toBe("rw");
  await engine.ok(["run", "-d", "--name", "grouped", "-u", "root:root", "--group-add", "777", "busybox", "top"]);
  expect(await engine.ok(["exec", "grouped", "id", "-G"])).toBe("0 777");
  await engine.ok(["rm", "-f", "grouped"]);
});

describe("GET /containers/{id}/json", () => {
  test("tells where the root lies, as far as it is there, and which manifest the image came with", async () => {
    const { body } = await create({ Cmd: ["sh", "-c", "echo here > /written; sleep 100"] });
    const { GraphDriver: before } = (await inspect(body["Id"])) as { GraphDriver: { Data: Record<string, string> } };
    expect(Object.keys(before.Data)).toEqual(["LowerDir", "MergedDir", "UpperDir", "WorkDir"]);
    await engine.ok(["start", String(body["Id"])]);
    for (const place of [before.Data["MergedDir"], before.Data["UpperDir"]]) {
      const written = join(place ?? "", "written");
      const content = (): string => (existsSync(written) ? readFileSync(written, "utf8") : "");
      for (let waited = 0; content() === "" && waited < 5000; waited += 20) await Bun.sleep(20);
      expect(content()).toBe("here\n");
    }
    const lowers = before.Data["LowerDir"]?.split(":") ?? [];
    expect(lowers.some((lower) => existsSync(join(lower, "bin/busybox")))).toBe(true);
    await engine.ok(["rm", "-f", String(body["Id"])]);
  });

  test("has every field that dockerd 28 has, in its order", async () => {
    const { body } = await create({ HostConfig: { Tmpfs: { "/x": "" }, Sysctls: { "net.core.somaxconn": "9" } } });
    const shown = await inspect(body["Id"]);
    expect(Object.keys(shown).join(" ")).toBe(
      "Id Created Path Args State Image ResolvConfPath HostnamePath HostsPath LogPath Name RestartCount Driver Platform MountLabel ProcessLabel AppArmorProfile ExecIDs HostConfig GraphDriver Mounts Config NetworkSettings",
    );
    expect(Object.keys(shown["State"] as Json).join(" ")).toBe(
      "Status Running Paused Restarting OOMKilled Dead Pid ExitCode Error StartedAt FinishedAt",
    );
    expect(Object.keys(shown["HostConfig"] as Json).join(" ")).toBe(
      "Binds ContainerIDFile LogConfig NetworkMode PortBindings RestartPolicy AutoRemove VolumeDriver VolumesFrom ConsoleSize CapAdd CapDrop CgroupnsMode Dns DnsOptions DnsSearch ExtraHosts GroupAdd IpcMode Cgroup Links OomScoreAdj PidMode Privileged PublishAllPorts ReadonlyRootfs SecurityOpt Tmpfs UTSMode UsernsMode ShmSize Sysctls Runtime Isolation CpuShares Memory NanoCpus CgroupParent BlkioWeight BlkioWeightDevice BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps BlkioDeviceWriteIOps CpuPeriod CpuQuota CpuRealtimePeriod CpuRealtimeRuntime CpusetCpus CpusetMems Devices DeviceCgroupRules DeviceRequests MemoryReservation MemorySwap MemorySwappiness OomKillDisable PidsLimit Ulimits CpuCount CpuPercent IOMaximumIOps IOMaximumBandwidth MaskedPaths ReadonlyPaths",
    );
    expect(Object.keys(shown["Config"] as Json).join(" ")).toBe(
      "Hostname Domainname User AttachStdin AttachStdout AttachStderr Tty OpenStdin StdinOnce Env Cmd Image Volumes WorkingDir Entrypoint OnBuild Labels",
    );
  });
});

describe("the API's edges", () => {
  test("unknown pages, methods and versions are answered as dockerd does", async () => {
    const message = async (method: string, path: string): Promise<unknown> => {
      const { status, body } = await api(method, path);
      return [status, body["message"]];
    };
    expect(await message("GET", "/v1.51/nope")).toEqual([404, "page not found"]);
    expect(await message("DELETE", "/v1.51/info")).toEqual([404, "page not found"]);
    expect(await message("GET", "/v9.99/nope")).toEqual([404, "page not found"]);
    expect(await message("GET", "/v9.99/info")).toEqual([
      400,
      "client version 9.99 is too new. Maximum supported API version is 1.51",
    ]);
    expect(await message("GET", "/v1/info")).toEqual([
      400,
      "client version 1 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version",
    ]);
    expect((await api("OPTIONS", "/v1.51/info")).status).toBe(200);
    const { body } = await create({});
    expect((await api("POST", `/containers/${body["Id"]}/start`, { Binds: ["/a:/b"] })).body["message"]).toBe(
      "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24",
    );
  });

  test.each([
    ["GET", "/networks/", undefined, 200, undefined],
    ["POST", "/containers/none/exec", { Cmd: 1 }, 400, expect.stringContaining("invalid JSON: ")],
    ["POST", "/containers/none/exec", { Cmd: ["x"] }, 404, "No such container: none"],
    [
      "POST",
      "/v1.43/containers/create",
      { Image: "busybox", NetworkingConfig: { EndpointsConfig: { one: {}, two: {} } } },
      400,
      "Container cannot be created with multiple network endpoints: one, two",
    ],
    [
      "POST",
      "/images/busybox/tag?repo=sha256&tag=x",
      undefined,
      400,
      "refusing to create an ambiguous tag using digest algorithm as name",
    ],
    [
      "POST",
      "/images/create?fromImage=busybox&platform=foobar",
      undefined,
      400,
      '"foobar": unknown operating system or architecture: invalid argument',
    ],
  ])("%s %s with %j is %d", async (method, path, request, status, message) => {
    const answer = await api(method, path, request);
    expect([answer.status, answer.body["message"]]).toEqual([status, message]);
  });

  test("lists by filters as dockerd does, and refuses those that are none", async () => {
    const list = async (filters: Json, query = "all=1"): Promise<readonly [number, unknown]> => {
      const { status, body } = await api(
        "GET",
        `/containers/json?${query}&filters=${encodeURIComponent(JSON.stringify(filters))}`,
      );
      return [status, Array.isArray(body) ? body.length : body["message"]];
    };
    await create({
      Labels: { "filter-test": "1" },
      ExposedPorts: { "81/tcp": {} },
      HostConfig: { PortBindings: { "82/udp": [{ HostPort: "" }] } },
    });
    const label = ["filter-test=1"];
    expect(await list({ label })).toEqual([200, 1]);
    expect(await list({ label: { "filter-test=1": true } })).toEqual([200, 1]);
    expect(await list({ label }, "all=0")).toEqual([200, 0]);
    expect(await list({ label, expose: ["80-85"] })).toEqual([200, 1]);
    // As dockerd, by the host's ports of what runs.
    const HostConfig = { PortBindings: { "82/udp": [{ HostPort: "18082" }] }, Binds: ["/tmp:/bound"] };
    const { body: publisher } = await create({ Labels: { "filter-test": "2" }, Cmd: ["top"], HostConfig });
    await api("POST", `/containers/${publisher["Id"]}/start`);
    expect(await list({ publish: ["18080-18082/udp"] })).toEqual([200, 1]);
    expect(await list({ publish: ["18082"] })).toEqual([200, 0]);
    expect(await list({ publish: ["82/udp"] })).toEqual([200, 0]);
    for (const volume of ["/tmp", "/bound"]) expect(await list({ volume: [volume] })).toEqual([200, 1]);
    expect(await list({ volume: ["/other"] })).toEqual([200, 0]);
    await engine.ok(["rm", "-f", String(publisher["Id"])]);
    expect(await list({ label, "is-task": ["false"] })).toEqual([200, 1]);
    expect(await list({ label, "is-task": ["true"] })).toEqual([200, 0]);
    expect(await list({ "is-task": ["x"] })).toEqual([400, "invalid filter 'is-task=[x]'"]);
    expect(await list({ nope: ["x"] })).toEqual([400, "invalid filter 'nope'"]);
    expect(await list({ status: ["x"] })).toEqual([400, "invalid filter 'status=x'"]);
    expect(await list({ before: ["nope"] })).toEqual([404, "No such container: nope"]);
    expect(await list({ publish: ["1:2"] })).toEqual([400, "filter for 'publish' should not contain ':': 1:2"]);
  });

  test("publishes a port that is named before it chooses others", async () => {
    const { body: probe } = await create({ Cmd: ["top"], HostConfig: { PortBindings: { "80/tcp": [{}] } } });
    const ports = async (id: unknown): Promise<Record<string, readonly { readonly HostPort: string }[]>> =>
      ((await inspect(id))["NetworkSettings"] as { Ports: Record<string, readonly { readonly HostPort: string }[]> })
        .Ports;
    await api("POST", `/containers/${probe["Id"]}/start`);
    const next = String(Number((await ports(probe["Id"]))["80/tcp"]?.[0]?.HostPort) + 1);
    const PortBindings = { "80/tcp": [{}], "8080/tcp": [{ HostPort: next }] };
    const { body } = await create({ Cmd: ["top"], HostConfig: { PortBindings } });
    expect(await api("POST", `/containers/${body["Id"]}/start`)).toEqual({ status: 204, body: {} });
    expect((await ports(body["Id"]))["8080/tcp"]?.[0]?.HostPort).toBe(next);
    for (const id of [probe["Id"], body["Id"]]) await engine.ok(["rm", "-f", String(id)]);
  });

  test("shows the MAC address that was asked for where clients have always read it", async () => {
    const MacAddress = "02:42:ac:11:00:42";
    const { body } = await create({ NetworkingConfig: { EndpointsConfig: { bridge: { MacAddress } } } });
    expect(((await inspect(body["Id"]))["Config"] as Json)["MacAddress"]).toBe(MacAddress);
    await engine.ok(["rm", String(body["Id"])]);
  });

  test("an exec that never ran ends with the container's run that it was made for", async () => {
    const { body } = await create({ Cmd: ["top"] });
    const id = String(body["Id"]);
    await api("POST", `/containers/${id}/start`);
    const exec = (await api("POST", `/containers/${id}/exec`, { Cmd: ["true"] })).body["Id"];
    const start = async (): Promise<number> => (await api("POST", `/exec/${exec}/start`, { Detach: true })).status;
    await api("POST", `/containers/${id}/restart?t=0`);
    expect(await start()).toBe(404);
    await engine.ok(["rm", "-f", id]);
  });

  test("a read-only root has read-only hosts, hostname and resolv.conf", async () => {
    const touch = "for f in hosts hostname resolv.conf; do touch /etc/$f 2>&1; done; true";
    const written = await output(["sh", "-c", touch], { ReadonlyRootfs: true });
    expect(written.match(/Read-only file system/g)).toHaveLength(3);
    expect(await output(["sh", "-c", touch], {})).toBe("");
  });

  test("info tells what kind, k3d and minikube read, in the form of each version", async () => {
    const { body: now } = await api("GET", "/v1.51/info");
    const { body: then } = await api("GET", "/v1.41/info");
    expect(now).toMatchObject({ OSType: "linux", CgroupDriver: "cgroupfs", FirewallBackend: { Driver: "nftables" } });
    expect(now["MemoryLimit"]).toBeBoolean();
    expect([now["NFd"], now["NGoroutines"]]).toEqual([expect.any(Number), expect.any(Number)]);
    expect(now["NFd"]).toBeGreaterThan(3);
    expect((await api("GET", "/v1.24/info")).body["ExecutionDriver"]).toBe("<not supported>");
    expect(now["BridgeNfIptables"]).toBeUndefined();
    expect(then).toMatchObject({ BridgeNfIptables: false, RuncCommit: { Expected: expect.any(String) } });
  });
});

test("POST /containers/{id}/update takes a limit of processes from 1.40 on, and every way to say that there is none", async () => {
  const { body } = await create({ Cmd: ["sleep", "60"], HostConfig: { NetworkMode: "none" } });
  await engine.ok(["start", String(body["Id"])]);
  const limit = async (PidsLimit: number, version: string): Promise<unknown> => {
    expect((await api("POST", `/${version}/containers/${body["Id"]}/update`, { PidsLimit })).status).toBe(200);
    const { HostConfig } = (await inspect(body["Id"])) as { HostConfig: Json };
    const path = isCgroup2 ? "/sys/fs/cgroup/pids.max" : "/sys/fs/cgroup/pids/pids.max";
    return [HostConfig["PidsLimit"], await engine.ok(["exec", String(body["Id"]), "cat", path])];
  };
  expect(await limit(77, "v1.51")).toEqual([77, "77"]);
  expect(await limit(55, "v1.39")).toEqual([77, "77"]);
  expect(await limit(-5, "v1.51")).toEqual([0, "max"]);
  expect(await limit(66, "v1.40")).toEqual([66, "66"]);
  expect(await limit(0, "v1.40")).toEqual([0, "max"]);
  const kernelMemory = (version: string): Promise<{ readonly body: Json }> =>
    api("POST", `/${version}/containers/${body["Id"]}/update`, { KernelMemory: 50_000_000 });
  expect((await kernelMemory("v1.42")).body).toEqual({ Warnings: null });
  expect((await kernelMemory("v1.41")).body["Warnings"]).toEqual([
    expect.stringContaining("does not support kernel memory limit capabilities"),
  ]);
  await engine.ok(["rm", "-f", String(body["Id"])]);
});

test("a container can be made anew of what an old client reads of it, as Watchtower does", async () => {
  const { body } = await create({ Cmd: ["sleep", "60"] });
  const of = async (path: string): Promise<Json> => (await api("GET", `/v1.24/containers/${path}/json`)).body;
  const { Config, HostConfig, NetworkSettings } = (await of(String(body["Id"]))) as Record<string, Json>;
  const EndpointsConfig = NetworkSettings?.["Networks"];
  expect(EndpointsConfig).toMatchObject({ bridge: { Aliases: null } });
  const again = { ...Config, HostConfig, NetworkingConfig: { EndpointsConfig } };
  const made = await api("POST", "/v1.24/containers/create?name=again", again);
  expect(made.status).toBe(201);
  expect((await of("again"))["HostConfig"]).toEqual(HostConfig);
  await engine.ok(["rm", String(body["Id"]), "again"]);
});

test("a container that never ran has its WORKDIR", async () => {
  await engine.ok(["create", "--name", "new", "-w", "/not/there", "busybox", "true"]);
  expect((await engine.berth(["cp", "new:/not/there", "-"])).stdout).toContain("there/");
  await engine.ok(["cp", "/etc/hostname", "new:/not/there/"]);
  expect(await engine.ok(["start", "-a", "new"])).toBe("");
  await engine.ok(["rm", "new"]);
  await engine.ok(["create", "--name", "blocked", "-w", "/etc/passwd/x", "busybox", "true"]);
  expect((await engine.berth(["cp", "blocked:/etc/passwd", "-"])).stdout).toContain("root:x:0");
  await engine.ok(["rm", "blocked"]);
});
