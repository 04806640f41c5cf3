import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { removeCgroups } from "../../tools/harness/cgroups.ts";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { until } from "../../tools/harness/until.ts";

const isCgroup2 = existsSync("/sys/fs/cgroup/cgroup.controllers");
let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

/** What a RUN step prints. */
async function output(command: string, ...flags: string[]): Promise<string> {
  await using context = makeContext({ Dockerfile: `FROM busybox\nRUN ${command}\n` });
  const { stderr, exitCode } = await engine.berth([
    "build",
    "--no-cache",
    "--progress",
    "plain",
    ...flags,
    context.path,
  ]);
  const lines = stderr.split("\n").flatMap((line) => /^#\d+ \d+\.\d+ (.*)$/.exec(line)?.[1] ?? []);
  return exitCode === 0 ? lines.join("\n") : stderr;
}

test("limits of RUN steps: memory, cpus, ulimits, /dev/shm", async () => {
  const script =
    "ulimit -n; df -k /dev/shm | tail -1 | awk '{print $2}'; cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null; cat /sys/fs/cgroup/cpuset.cpus /sys/fs/cgroup/cpuset/cpuset.cpus 2>/dev/null; true";
  const flags = [
    "--ulimit",
    "nofile=77:99",
    "--shm-size",
    "8m",
    "-m",
    "64m",
    "--cpuset-cpus",
    "0",
    "--cpu-shares",
    "512",
  ];
  expect(await output(script, ...flags)).toBe("77\n8192\n67108864\n0");
  expect(await output("true", "-m", "1k")).toContain("Minimum memory limit allowed is 6MB");
});

test("POST /build honours every limit that the classic builder has", async () => {
  const seen = isCgroup2
    ? "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory.swap.max /sys/fs/cgroup/cpu.weight /sys/fs/cgroup/cpuset.cpus /sys/fs/cgroup/cpu.max"
    : "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes /sys/fs/cgroup/cpu/cpu.shares /sys/fs/cgroup/cpuset/cpuset.cpus /sys/fs/cgroup/cpuset/cpuset.mems /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us";
  await using context = makeContext({
    Dockerfile: [
      "FROM busybox",
      // What the command prints, apart from the step's own text.
      "RUN printf 'files %s\\n' $(ulimit -Sn) $(ulimit -Hn); df -k /dev/shm | awk 'END {print \"shm\", $2}'",
      "RUN grep -c '^1.2.3.4.*gateway' /etc/hosts; ip -o link | wc -l; grep -o 'berth-classic/' /proc/self/cgroup | sort -u",
      `RUN ${seen} 2>/dev/null; true`,
    ].join("\n"),
  });
  const { stdout: tar } = await run("tar", ["-C", context.path, "-cf", "-", "."]);
  const query = new URLSearchParams({
    ...{ nocache: "1", memory: "67108864", memswap: "134217728", cpushares: "512", cpusetcpus: "0", cpusetmems: "0" },
    ...{
      cpuquota: "50000",
      cpuperiod: "90000",
      shmsize: "8388608",
      extrahosts: "gateway:1.2.3.4",
      networkmode: "none",
    },
    cgroupparent: "/berth-classic",
    ulimits: JSON.stringify([{ Name: "nofile", Soft: 77, Hard: 99 }]),
  });
  const response = await fetch(`http://engine/v1.51/build?${query}`, {
    unix: engine.socket,
    method: "POST",
    body: tar,
    headers: { "Content-Type": "application/x-tar" },
  });
  const output = (await response.text())
    .trim()
    .split("\n")
    .map((line): string => JSON.parse(line).stream ?? "")
    .join("")
    .split("\n")
    .filter((line) => line !== "" && !/^(Step| ---> |Success|Removing)/.test(line));
  removeCgroups("/berth-classic");
  const limits = isCgroup2
    ? ["67108864", "67108864", "20", "0", "50000 90000"]
    : ["67108864", "134217728", "512", "0", "0", "50000", "90000"];
  expect(output).toEqual(["files 77", "files 99", "shm 8192", "1", "1", "berth-classic/", ...limits]);
});

test("limits are no part of a step's key", async () => {
  await using context = makeContext({ Dockerfile: "FROM busybox\nRUN echo limited > /l\n" });
  await engine.ok(["build", "-q", "-m", "64m", context.path]);
  const { stderr } = await engine.berth(["build", "--progress", "plain", "--shm-size", "9m", context.path]);
  expect(stderr).toMatch(/RUN echo limited > \/l\n#\d+ CACHED/);
});

test("--network takes any network, whose containers have names, and container:NAME", async () => {
  await engine.ok(["network", "create", "build-net"]);
  await engine.ok(["run", "-d", "--name", "db", "--network", "build-net", "busybox", "sleep", "1000"]);
  expect(await output("ping -c1 -w3 db | tail -3 | head -1", "--network", "build-net")).toContain("db ping statistics");
  const own = await engine.ok(["exec", "db", "hostname", "-i"]);
  expect(await output("ip -4 -o addr show | grep -v 127.0.0.1", "--network", "container:db")).toContain(own);
  expect(await output("ip -o link show | wc -l", "--network", "none")).toBe("1");
  expect(await output("true", "--network", "nowhere")).toContain("network nowhere not found");
  expect(await output("true", "--network", "container:nobody")).toContain("No such container: nobody");
  expect(await output("cat /etc/hosts", "--add-host", "gw:host-gateway", "--add-host", "x:1.2.3.4")).toMatch(
    /1\.2\.3\.4\s+x/,
  );
  await engine.ok(["rm", "-f", "db"]);
  const namespaces = (): number => readdirSync(join(engine.execRoot, "netns")).length;
  const building = output("sleep 3; echo done", "--network", "build-net");
  await until(() => namespaces() > 0);
  const { stderr } = await engine.berth(["network", "rm", "build-net"]);
  expect(stderr).toContain("network build-net has active endpoints");
  expect(await building).toBe("done");
  // Nothing of the steps is left on it.
  await engine.ok(["network", "rm", "build-net"]);
});

test("--builder takes the engine's own alone", async () => {
  await using context = makeContext({ Dockerfile: "FROM scratch\nLABEL a=b\n" });
  await engine.ok(["build", "-q", "--builder", "default", context.path]);
  const { stderr } = await engine.berth(["build", "-q", "--builder=mine", context.path]);
  expect(stderr).toContain('no builder "mine" found');
});
