/** Devices that the host's CDI files describe: in containers, in builds, in `info`. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

const directory = mkdtempSync(join(tmpdir(), "berth-cdi-"));
const trace = join(directory, "hooks");

const VENDOR = `
cdiVersion: "0.7.0"
kind: vendor.com/dev
containerEdits:
  env: [VENDOR=yes]
devices:
- name: zero
  containerEdits:
    env: [DEVICE=zero]
    deviceNodes:
    - {path: /dev/vendor/zero, hostPath: /dev/zero, fileMode: 0640, uid: 3, gid: 4}
    - {path: /dev/vendor/loops, hostPath: /dev/loop-control, permissions: r}
    additionalGids: [77]
- name: files
  containerEdits:
    mounts:
    - {hostPath: /etc/hostname, containerPath: /opt/vendor/name, options: [ro, nosuid, nodev, bind]}
- name: hooks
  containerEdits:
    hooks:
${["createRuntime", "poststart", "poststop"]
  .map(
    (name) => `    - {hookName: ${name}, path: /bin/sh, args: [sh, -c, 'cat > /dev/null; echo ${name} >> ${trace}']}`,
  )
  .join("\n")}
- name: absent
  containerEdits:
    deviceNodes: [{path: /dev/vendor/absent}]
- name: failing
  containerEdits:
    hooks: [{hookName: createRuntime, path: /bin/false}]
- name: cache
  containerEdits:
    intelRdt: {closID: x}
`;

const BUILDERS = {
  cdiVersion: "0.6.0",
  kind: "builders.com/dev",
  annotations: { "org.mobyproject.buildkit.device.autoallow": "true" },
  devices: [{ name: "a", containerEdits: { env: ["BUILDER=a"] } }],
};

let engine: PrivateEngine;

beforeAll(async () => {
  mkdirSync(join(directory, "cdi"), { mode: 0o755 });
  chmodSync(directory, 0o755);
  write("vendor.yaml", VENDOR);
  write("builders.json", JSON.stringify(BUILDERS));
  engine = await PrivateEngine.start({ daemonArgs: ["--cdi-spec-dir", join(directory, "cdi")] });
  await makeBusybox(engine);
}, 60_000);

afterAll(async () => {
  await engine.close();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

function write(name: string, content: string, mode = 0o644): void {
  writeFileSync(join(directory, "cdi", name), content);
  chmodSync(join(directory, "cdi", name), mode);
}

describe("containers", () => {
  const run = (device: string, ...command: string[]): ReturnType<PrivateEngine["berth"]> =>
    engine.berth(["run", "--rm", "--network", "none", "--device", device, "busybox", ...command]);

  test("get the nodes, variables and groups of a device, and its file's", async () => {
    const script =
      "ls -ln /dev/vendor/zero; echo $VENDOR $DEVICE; id -G; true < /dev/vendor/loops && echo read; true > /dev/vendor/loops";
    const { stdout, stderr } = await run("vendor.com/dev=zero", "sh", "-c", script);
    expect(stdout).toMatch(/^crw-r-----\s+1 3\s+4\s+1,\s+5 .*\nyes zero\n0 (10 )?77\nread\n$/);
    expect(stderr).toContain("Operation not permitted");
  });

  test("get mounts, and two devices at once", async () => {
    const { stdout } = await engine.berth(
      [
        "run",
        "--rm",
        "--network",
        "none",
        "--device",
        "vendor.com/dev=files",
        "--device",
        "vendor.com/dev=zero",
      ].concat([
        "--device",
        "/dev/null:/dev/other",
        "busybox",
        "sh",
        "-c",
        "cat /opt/vendor/name; ls /dev/vendor /dev/other",
      ]),
    );
    expect(stdout).toBe(`${readFileSync("/etc/hostname", "utf8")}/dev/other\n\n/dev/vendor:\nloops\nzero\n`);
  });

  test("have their hooks run, those after the end too", async () => {
    expect((await run("vendor.com/dev=hooks", "true")).exitCode).toBe(0);
    expect(readFileSync(trace, "utf8").split("\n").sort()).toEqual(["", "createRuntime", "poststart", "poststop"]);
  });

  test.each([
    ["vendor.com/dev=zz", 125, "CDI device injection failed: unresolvable CDI devices vendor.com/dev=zz\n"],
    [
      "vendor.com/dev=absent",
      127,
      'CDI device injection failed: failed to inject devices: failed to stat CDI host device "/dev/vendor/absent": no such file or directory\n',
    ],
    ["vendor.com/dev=failing", 125, "error running hook"],
    ["vendor.com/dev=cache", 125, "vendor.com/dev=cache needs intelRdt"],
  ])("fail to start with %s, and nothing stays", async (device, exitCode, message) => {
    const finished = await run(device, "true");
    expect(finished.exitCode).toBe(exitCode);
    expect(finished.stderr).toContain(message);
    expect(await engine.ok(["ps", "-aq"])).toBe("");
  });

  test("keep the request, and find the device when it comes", async () => {
    await engine.ok(["create", "--name", "waits", "--network", "none", "--device", "late.com/dev=x", "busybox", "env"]);
    expect((await engine.berth(["start", "waits"])).stderr).toContain("unresolvable CDI devices late.com/dev=x");
    expect(
      await engine.ok(["inspect", "waits", "--format", "{{.State.Status}} {{.State.ExitCode}} {{.State.FinishedAt}}"]),
    ).toBe("created 128 0001-01-01T00:00:00Z");
    const late = {
      cdiVersion: "0.5.0",
      kind: "late.com/dev",
      devices: [{ name: "x", containerEdits: { env: ["LATE=1"] } }],
    };
    write("late.json", JSON.stringify(late), 0o666);
    expect((await engine.berth(["start", "waits"])).stderr).toContain("its mode 0666 lets others than its owner write");
    write("late.json", JSON.stringify(late));
    expect(await engine.ok(["start", "-a", "waits"])).toContain("LATE=1");
    await engine.ok(["rm", "waits"]);
    rmSync(join(directory, "cdi/late.json"));
  });

  test("get GPUs where NVIDIA's file is, and dockerd's words where not", async () => {
    const gpus = (): ReturnType<PrivateEngine["berth"]> =>
      engine.berth(["run", "--rm", "--network", "none", "--gpus", "all", "busybox", "env"]);
    const { stderr, exitCode } = await gpus();
    expect([exitCode, stderr]).toEqual([
      125,
      expect.stringContaining('could not select device driver "" with capabilities: [[gpu]]\n'),
    ]);
    const all = { name: "all", containerEdits: { env: ["GPU=all"] } };
    write("nvidia.yaml", JSON.stringify({ cdiVersion: "0.5.0", kind: "nvidia.com/gpu", devices: [all] }));
    expect((await gpus()).stdout).toContain("GPU=all\n");
    rmSync(join(directory, "cdi/nvidia.yaml"));
  });
});

describe("RUN --device", () => {
  async function build(run: string, ...flags: string[]): Promise<string> {
    await using context = makeContext({ Dockerfile: `FROM busybox\n${run}\n` });
    return (await engine.berth(["build", "--progress", "plain", "--no-cache", ...flags, context.path])).stderr;
  }

  test("needs a grant, and leaves nothing of the device in the layer", async () => {
    const step =
      "RUN --device=vendor.com/dev=files --device=vendor.com/dev=zero cat /opt/vendor/name && ls /dev/vendor";
    expect(await build(step)).toContain(
      "failed to solve: devices vendor.com/dev=files, vendor.com/dev=zero are requested by the build but not allowed",
    );
    const built = await build(`${step}\nRUN ls /opt || echo clean`, "--allow", "device");
    expect(built).toMatch(/\d zero\n/);
    expect(built).toMatch(/\d clean\n/);
  });

  test("gives build debug's shell the devices of the step that failed", async () => {
    const step = "RUN --device=vendor.com/dev=zero --device=no.com/dev=x ls /dev/vendor && exit 7";
    expect(await build(step, "--allow", "device")).toContain("exit code: 7");
    expect(await engine.ok(["build", "debug", "--", "sh", "-c", "ls /dev/vendor; echo $DEVICE"])).toBe(
      "loops\nzero\nzero",
    );
  });

  test("takes what the host's file allows, and goes without what is not there", async () => {
    const built = await build("RUN --device=builders.com/dev --device=no.com/dev=x echo got $BUILDER");
    expect(built).toMatch(/\d device no.com\/dev=x is not here: the step runs without it\n/);
    expect(built).toMatch(/\d got a\n/);
    expect(await build("RUN --device=no.com/dev=x,required true")).toContain(
      "Dockerfile:2\n--------------------\n   1 |     FROM busybox\n   2 | >>> RUN --device=no.com/dev=x,required true",
    );
  });
});

test("info names the directories, the devices, and the files that are not used", async () => {
  write("broken.json", "{");
  const response = await fetch("http://engine/v1.51/info", { unix: engine.socket });
  const info: unknown = await response.json();
  const before: unknown = await (await fetch("http://engine/v1.49/info", { unix: engine.socket })).json();
  rmSync(join(directory, "cdi/broken.json"));
  expect(info).toMatchObject({
    CDISpecDirs: [join(directory, "cdi")],
    DiscoveredDevices: expect.arrayContaining([{ Source: "cdi", ID: "builders.com/dev=a" }]),
    Warnings: expect.arrayContaining([expect.stringMatching(/^CDI: Error associated with spec file .*broken.json: /)]),
  });
  expect(before).not.toHaveProperty("DiscoveredDevices");
  expect(await engine.ok(["info"])).toContain(" Discovered Devices:\n  cdi: builders.com/dev=a\n");
});
