import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

let engine: PrivateEngine;
let host: string;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
  host = join(engine.directory, "host");
  mkdirSync(host);
}, 120_000);

afterAll(() => engine.close(), 120_000);

/** Output of a command in a new container that is gone afterwards. */
const run = (options: readonly string[], script: string): Promise<string> =>
  engine.ok(["run", "--rm", ...options, "busybox", "sh", "-c", script]);

/** The engine's words, when a container with these options cannot be had. */
async function refusal(...options: string[]): Promise<string> {
  const { exitCode, stderr } = await engine.berth(["run", "--rm", ...options, "busybox", "true"]);
  // As docker: 127 for whatever a start does not find.
  expect(exitCode).toBe(stderr.includes("no such file or directory") ? 127 : 125);
  return stderr.split("\n")[0]?.replace("berth: Error response from daemon: ", "") ?? "";
}

/** What the engine's own volumes and subpaths hold mounted. */
const mounted = (): string[] =>
  readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(engine.dataRoot) || path.startsWith(join(engine.execRoot, "m/s")));

describe("volumes with options of the driver", () => {
  test("are mounted for the first container and until the last, across an engine's restart", async () => {
    await engine.ok([
      "volume",
      "create",
      "-o",
      "type=tmpfs",
      "-o",
      "device=tmpfs",
      "-o",
      "o=size=1m,uid=1000",
      "memory",
    ]);
    expect(mounted()).toEqual([]);
    await engine.ok(["run", "-d", "--name", "one", "-v", "memory:/m", "busybox", "sleep", "100000"]);
    await engine.ok(["exec", "one", "sh", "-c", "echo kept > /m/f"]);
    expect(await run(["-v", "memory:/x"], "cat /x/f; df /x | tail -1 | awk '{print $2}'")).toBe("kept\n1024");
    await engine.stop();
    await engine.start();
    expect(await run(["-v", "memory:/x:ro"], "cat /x/f; touch /x/g 2>&1 || true")).toContain("Read-only file system");
    await engine.ok(["kill", "one"]);
    await engine.ok(["wait", "one"]);
    await engine.ok(["start", "one"]);
    expect(await engine.ok(["exec", "one", "ls", "/m"])).toBe("");
    await engine.crash();
    await engine.start();
    expect(mounted()).toEqual([join(engine.dataRoot, "volumes/memory/_data")]);
    await engine.ok(["rm", "-f", "one"]);
    expect(mounted()).toEqual([]);
    await engine.ok(["volume", "rm", "memory"]);
  }, 120_000);

  test("bind host directories, whose files their removal leaves alone", async () => {
    writeFileSync(join(host, "precious"), "x");
    const options = ["-o", "type=none", "-o", `device=${host}`, "-o", "o=bind"];
    await engine.ok(["volume", "create", ...options, "bound"]);
    expect(await run(["-v", "bound:/b"], "ls /b; touch /b/made")).toBe("precious");
    await engine.ok(["create", "--name", "copies", "-v", "bound:/b", "busybox", "true"]);
    await engine.ok(["cp", join(host, "precious"), "copies:/b/copied"]);
    await engine.ok(["rm", "copies"]);
    await engine.ok(["volume", "rm", "bound"]);
    expect(readdirSync(host).sort()).toEqual(["copied", "made", "precious"]);
  });

  test("that cannot be, and that the kernel refuses, fail in Docker's words and leave nothing", async () => {
    const create = async (...options: string[]): Promise<string> => {
      const words = options.flatMap((option) => ["-o", option]);
      return (await engine.berth(["volume", "create", ...words, "no"])).stderr.trim();
    };
    expect(await create("colour=red")).toBe('Error response from daemon: create no: invalid option: "colour"');
    expect(await create("type=tmpfs")).toContain('missing required option: "device"');
    expect(await create("size=1m")).toContain("quota size requested but no quota support");
    expect((await engine.berth(["volume", "create", "-d", "nope", "x"])).stderr).toContain(
      'create x: error looking up volume plugin nope: plugin "nope" not found',
    );
    await engine.ok(["volume", "create", "-o", "type=nosuch", "-o", "device=none", "bad"]);
    expect(await refusal("-v", "bad:/b")).toBe(
      `error while mounting volume '${engine.dataRoot}/volumes/bad/_data': failed to mount local volume: mount none:${engine.dataRoot}/volumes/bad/_data: no such device`,
    );
    expect(await engine.ok(["ps", "-aq"])).toBe("");
    expect(await engine.ok(["volume", "rm", "bad"])).toBe("bad");
    expect(await engine.ok(["volume", "ls", "-q"])).toBe("");
  });
});

describe("berth volume", () => {
  test("lists by every filter, protects what is in use, prunes the anonymous and with -a all", async () => {
    await engine.ok(["volume", "create", "--label", "a=b", "labelled"]);
    await engine.ok(["create", "--name", "user", "-v", "used:/u", "-v", "/anonymous", "busybox", "true"]);
    const names = async (...filters: string[]): Promise<string[]> =>
      (await engine.ok(["volume", "ls", "-q", ...filters.flatMap((filter) => ["--filter", filter])])).split("\n");
    expect(await names("dangling=true")).toEqual(["labelled"]);
    expect((await names("dangling=false")).length).toBe(2);
    expect(await names("label=a=b")).toEqual(["labelled"]);
    expect(await names("label=a", "name=abel", "driver=local")).toEqual(["labelled"]);
    expect(await names("name=^label", "name=nothing")).toEqual(["labelled"]);
    expect(await names("name=none")).toEqual([""]);
    expect((await engine.berth(["volume", "ls", "--filter", "colour=red"])).stderr).toBe(
      "Error response from daemon: invalid filter 'colour'\n",
    );
    const id = await engine.ok(["inspect", "-f", "{{.Id}}", "user"]);
    expect((await engine.berth(["volume", "rm", "used"])).stderr).toBe(
      `Error response from daemon: remove used: volume is in use - [${id}]\n`,
    );
    expect((await engine.berth(["volume", "rm", "none"])).stderr).toContain("get none: no such volume");
    expect((await engine.berth(["volume", "rm", "-f", "none"])).exitCode).toBe(0);
    await engine.ok(["rm", "user"]);
    expect((await engine.ok(["volume", "prune", "-f"])).split("\n").length).toBe(4);
    expect(await names()).toEqual(["labelled", "used"]);
    expect(await engine.ok(["volume", "prune", "-af", "--filter", "label!=a"])).toContain("used");
    expect(await engine.ok(["volume", "rm", "labelled"])).toBe("labelled");
  });

  test("tells events with their attributes, in the order of what happens", async () => {
    const since = String(Math.floor(Date.now() / 1000));
    await run(["-v", "told:/t:ro", "-v", "/anonymous"], "true");
    await engine.ok(["volume", "rm", "told"]);
    const until = String(Math.floor(Date.now() / 1000) + 1);
    const events = ["events", "--since", since, "--until", until, "--filter", "type=volume", "--format", "{{json .}}"];
    const all = (await engine.ok(events)).split("\n").map((line) => JSON.parse(line));
    const told = all.filter(({ Actor }) => Actor.ID === "told");
    expect(told.map(({ Action }) => Action)).toEqual(["create", "mount", "unmount", "destroy"]);
    expect(told[1].Actor.Attributes).toEqual({
      container: expect.stringMatching(/^[0-9a-f]{64}$/),
      destination: "/t",
      driver: "local",
      propagation: "",
      "read/write": "false",
    });
    expect(Object.keys(told[2].Actor.Attributes).sort()).toEqual(["container", "driver"]);
    const anonymous = all.find(({ Actor }) => Actor.Attributes.destination === "/anonymous")?.Actor.ID;
    const itsOwn = all.filter(({ Actor }) => Actor.ID === anonymous).map(({ Action }) => Action);
    expect(itsOwn).toEqual(["create", "mount", "unmount", "destroy"]);
  });
});

describe("filling a volume", () => {
  test("happens once, when the container is made, with owner and mode of the image's directory", async () => {
    await using context = makeContext({
      Dockerfile:
        "FROM busybox\nRUN mkdir /data && echo image > /data/file && chown -R 1000:5 /data && chmod 2750 /data\nVOLUME /data\n",
    });
    await engine.ok(["build", "-q", "-t", "filled", context.path]);
    await engine.ok(["create", "--name", "data", "filled", "true"]);
    expect(await run(["--volumes-from", "data"], "cat /data/file; stat -c %u:%g:%a /data")).toBe("image\n1000:5:2750");
    await engine.ok(["create", "--name", "named", "-v", "fill:/data", "filled", "rm", "/data/file"]);
    await engine.ok(["cp", join(host, "precious"), "named:/data/added"]);
    expect(await run(["-v", "fill:/d"], "ls /d")).toBe("added\nfile");
    await engine.ok(["start", "-a", "named"]);
    await run(["-v", "fill:/d"], "rm /d/added");
    await engine.ok(["start", "-a", "named"]).catch(() => "rm fails: nothing is there any more");
    expect(await run(["-v", "fill:/d"], "ls /d")).toBe("");
    expect(await engine.ok(["run", "--rm", "-v", "bare:/data:nocopy", "filled", "ls", "/data"])).toBe("");
    expect(
      await engine.ok(["run", "--rm", "--mount", "src=bare2,dst=/data,volume-nocopy", "filled", "ls", "/data"]),
    ).toBe("");
    const label = await engine.ok(["inspect", "-f", "{{(index .Mounts 0).Name}}", "data"]);
    expect(await engine.ok(["volume", "inspect", "-f", "{{json .Labels}}", label])).toBe(
      '{"com.docker.volume.anonymous":""}',
    );
    await engine.ok(["rm", "-v", "data", "named"]);
    expect(await engine.ok(["volume", "ls", "-q"])).toBe("bare\nbare2\nfill");
    await engine.ok(["volume", "rm", "bare", "bare2", "fill"]);
  });

  test("leaves no volume behind that was made for a container that cannot be", async () => {
    expect(await refusal("--mount", "dst=/x", "--mount", "dst=/x")).toBe("Duplicate mount point: /x");
    expect(await refusal("-v", "/anonymous", "--mount", `type=bind,src=${host}/none,dst=/y`)).toContain(
      "does not exist",
    );
    expect(await refusal("-v", "/anonymous", "--ip", "10.0.0.9")).toContain("invalid config for network");
    await engine.ok(["create", "--name", "holder", "busybox", "true"]);
    expect(await refusal("--name", "holder", "-v", "/anonymous")).toContain("is already in use");
    expect(await engine.ok(["volume", "ls", "-q"])).toBe("");
    await engine.ok(["rm", "holder"]);
  });
});

describe("mounts", () => {
  test("show a part of a volume, never what lies outside of it", async () => {
    await run(
      ["-v", "parts:/v"],
      "mkdir -p /v/a/b; echo content > /v/a/b/file; ln -s a /v/inside; ln -s /a /v/absolute; ln -s ../../etc /v/outside",
    );
    const part = (subpath: string): string[] => ["--mount", `src=parts,dst=/x,volume-subpath=${subpath}`];
    expect(await run(part("a/b"), "cat /x/file; echo new > /x/new")).toBe("content");
    expect(await run(part("a/b/file"), "cat /x")).toBe("content");
    expect(await run(part("inside"), "ls /x/b")).toBe("file\nnew");
    const where = `${engine.dataRoot}/volumes/parts/_data`;
    expect(await refusal(...part("none"))).toBe(`cannot access path ${where}/none: no such file or directory`);
    for (const link of ["outside", "absolute"]) {
      const reason = `path concatenation escapes the base directory, base: ${where}, subpath: ${link}`;
      expect(await refusal(...part(link))).toBe(reason);
    }
    expect(await refusal(...part("../x"))).toContain("subpath must be a relative path within the volume");
    expect(await refusal("--mount", "dst=/x,volume-subpath=a")).toContain(
      "must not set Subpath when using anonymous volumes",
    );
    // An empty part is filled from the image, as a volume is; one that has files is not, nor the volume's top.
    await run(["-v", "parts:/v"], "mkdir /v/empty");
    expect(await run(["--mount", "src=parts,dst=/etc,volume-subpath=empty"], "ls /etc | grep -c passwd")).toBe("1");
    expect(await run(["--mount", "src=parts,dst=/etc,volume-subpath=a/b"], "ls /etc | grep -c passwd; true")).toBe("0");
    expect(await run(["-v", "parts:/v"], "ls /v; ls /v/empty | grep -c passwd")).toBe(
      "a\nabsolute\nempty\ninside\noutside\n1",
    );
    expect(mounted()).toEqual([]);
    await engine.ok(["volume", "rm", "parts"]);
  });

  test("show images, read-only, which cannot be removed meanwhile", async () => {
    expect(await run(["--mount", "type=image,src=busybox,dst=/i"], "ls /i/etc; touch /i/x 2>&1 || true")).toBe(
      "group\npasswd\ntouch: /i/x: Read-only file system",
    );
    expect(await run(["--mount", "type=image,src=busybox,dst=/i,image-subpath=etc"], "ls /i")).toBe("group\npasswd");
    expect(await refusal("--pull", "never", "--mount", "type=image,src=127.0.0.1:1/none,dst=/i")).toContain(
      "No such image: 127.0.0.1:1/none",
    );
    expect(await refusal("--mount", "type=image,dst=/i")).toContain(
      'invalid mount config for type "image": field Source must not be empty',
    );
  });

  test("keep an image that is removed by force until the last container that mounts it is gone", async () => {
    await engine.ok(["run", "--name", "author", "busybox", "touch", "/only-here"]);
    await engine.ok(["commit", "author", "shown"]);
    await engine.ok(["rm", "author"]);
    // A removed file has another name until its blocks are free.
    const layers = (): number =>
      readdirSync(join(engine.dataRoot, "layers")).filter((name) => /^[0-9a-f]{64}$/.test(name)).length;
    const before = layers();
    await engine.ok(["create", "--name", "viewer", "--mount", "type=image,src=shown,dst=/i", "busybox", "true"]);
    await engine.ok(["rmi", "-f", "shown"]);
    expect(layers()).toBe(before);
    await engine.ok(["start", "-a", "viewer"]);
    await engine.ok(["rm", "viewer"]);
    expect(layers()).toBe(before - 1);
  });

  test("are read-only all the way down, unless asked otherwise", async () => {
    const [top, below] = [join(host, "top"), join(host, "below")];
    mkdirSync(join(top, "sub"), { recursive: true });
    mkdirSync(below);
    execFileSync("mount", ["--bind", below, join(top, "sub")]);
    try {
      const touch = "touch /t/x 2>/dev/null && echo top; touch /t/sub/x 2>/dev/null && echo sub; ls /t/sub";
      expect(await run(["-v", `${top}:/t:ro`], touch)).toBe("");
      const bind = `type=bind,src=${top},dst=/t`;
      expect(await run(["--mount", `${bind},readonly,bind-recursive=writable`], touch)).toBe("sub\nx");
      expect(await run(["--mount", `${bind},bind-recursive=disabled`], touch)).toBe("top\nsub\nx");
      const forced = `${bind},ro,bind-recursive=readonly,bind-propagation=rprivate`;
      expect(await run(["--mount", forced], "touch /t/sub/y 2>/dev/null || ls /t/sub")).toBe("x");
    } finally {
      execFileSync("umount", [join(top, "sub")]);
    }
    expect(await refusal("-v", `${top}:/t:rshared`)).toContain("it is not a shared mount");
    expect(await refusal("-v", `${top}:/t:rslave`)).toContain("it is not a shared or slave mount");
  });

  test("follow Docker's rules of -v, --mount, --tmpfs and --volumes-from", async () => {
    const missing = join(host, "new/by/v");
    await run(["-v", `${missing}:/x`], "true");
    expect(existsSync(missing)).toBe(true);
    expect(await refusal("--mount", `type=bind,src=${host}/none,dst=/x`)).toBe(
      `invalid mount config for type "bind": bind source path does not exist: ${host}/none`,
    );
    expect(await refusal("-v", `${host}/precious/x:/x`)).toBe(
      `error while creating mount source path '${host}/precious/x': mkdir ${host}/precious/x: not a directory`,
    );
    for (const [name, option] of [
      ["by-v", `-v=${host}/gone:/x`],
      ["by-mount", `--mount=type=bind,src=${host}/gone,dst=/x`],
    ]) {
      await engine.ok(["create", "--name", String(name), String(option), "busybox", "touch", "/x/f"]);
    }
    rmdirSync(join(host, "gone"));
    expect((await engine.berth(["start", "by-mount"])).stderr).toContain(
      `bind source path does not exist: ${host}/gone`,
    );
    expect(await engine.ok(["start", "-a", "by-v"])).toBe("");
    expect(readdirSync(join(host, "gone"))).toEqual(["f"]);
    await engine.ok(["rm", "by-v", "by-mount"]);
    const relative = await engine.berth(["run", "--rm", "-v", "./rel:/x", "busybox", "touch", "/x/f"], { cwd: host });
    expect([relative.exitCode, existsSync(join(host, "rel/f"))]).toEqual([0, true]);
    expect(await refusal("-v", "a/b:/x")).toContain('"a/b" includes invalid characters for a local volume name');
    expect(await refusal("-v", "one1:/x", "-v", "two2:/x")).toBe("Duplicate mount point: /x");
    expect(await refusal("-v", "one1:/")).toContain("invalid specification: destination can't be '/'");
    expect(await refusal("-v", "one1:/x:rx")).toBe("invalid mode: rx");
    const tmpfs = "df /t | tail -1 | awk '{print $2}'; stat -c %a /t; grep ' /t ' /proc/mounts | cut -d' ' -f4";
    expect(await run(["--mount", "type=tmpfs,dst=/t,tmpfs-size=2m,tmpfs-mode=700"], tmpfs)).toMatch(
      /^2048\n700\nrw,nosuid,nodev,noexec/,
    );
    expect(await run(["--tmpfs", "/t:size=1m,exec"], tmpfs)).toMatch(/^1024\n1777\nrw,nosuid,nodev,relatime/);
    await engine.ok(["create", "--name", "data", "-v", "shared1:/one", "-v", `${host}:/two:ro`, "busybox", "true"]);
    expect(await run(["--volumes-from", "data"], "touch /one/f; touch /two/f 2>&1 || true")).toContain("Read-only");
    expect(
      await run(["--volumes-from", "data:ro", "-v", "mine1:/two"], "touch /one/g 2>&1; touch /two/g && ls /two"),
    ).toContain("g");
    expect(await refusal("--volumes-from", "nobody")).toBe("No such container: nobody");
    expect(await refusal("--volumes-from", "data:rx")).toBe("invalid mode: rx");
    await engine.ok(["rm", "data"]);
  });
});
