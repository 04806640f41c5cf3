import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getXattr, setXattr } from "../../src/sys/xattr.ts";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { rawTar } from "../../tools/harness/raw-tar.ts";

let engine: PrivateEngine;
let scratch: string;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
  scratch = join(engine.directory, "scratch");
  mkdirSync(scratch);
}, 120_000);

afterAll(() => engine.close(), 120_000);

/** One call of the API. */
async function call(method: string, path: string, body?: Uint8Array): Promise<Response> {
  return await fetch(`http://engine/v1.51${path}`, { unix: engine.socket, method, ...(body ? { body } : {}) });
}

const archive = (id: string, path: string, rest = ""): string =>
  `/containers/${id}/archive?path=${encodeURIComponent(path)}${rest}`;

async function put(
  id: string,
  path: string,
  body: Uint8Array,
  rest = "",
): Promise<{ status: number; message: string }> {
  const response = await call("PUT", archive(id, path, rest), body);
  const text = await response.text();
  return { status: response.status, message: text === "" ? "" : JSON.parse(text).message };
}

async function get(id: string, path: string): Promise<Buffer> {
  const response = await call("GET", archive(id, path));
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

function stat(response: Response): Record<string, unknown> {
  return JSON.parse(Buffer.from(response.headers.get("x-docker-container-path-stat") ?? "", "base64").toString());
}

/** What is in a tar, as GNU tar lists it, without times. */
function listing(tar: Uint8Array): string[] {
  const text = execFileSync("tar", ["--numeric-owner", "-tvf", "-"], { input: tar, stdio: ["pipe", "pipe", "ignore"] });
  const lines = text
    .toString("latin1")
    .split("\n")
    .filter((line) => line !== "");
  return lines.map((line) => line.replace(/ \d{4}-\d\d-\d\d \d\d:\d\d/, "").replace(/ +/g, " "));
}

function tarOf(directory: string, ...options: string[]): Buffer {
  return execFileSync("tar", ["-C", directory, ...options, "-cf", "-", "."], { maxBuffer: 64 * 1024 * 1024 });
}

async function container(name: string, ...options: string[]): Promise<string> {
  await engine.ok(["run", "-d", "--name", name, ...options, "busybox", "sleep", "100000"]);
  return name;
}

describe("HEAD and GET /containers/{id}/archive", () => {
  test("tell name, size, Go's mode, time and where a link leads", async () => {
    const id = await container("stats");
    await engine.ok([
      "exec",
      id,
      "sh",
      "-c",
      "cd /tmp && echo 12345 > f && chmod 4750 f && ln -s ../tmp/./f l && ln -s /no/where w",
    ]);
    const file = await call("HEAD", archive(id, "/tmp/f"));
    expect(file.status).toBe(200);
    expect(stat(file)).toMatchObject({ name: "f", size: 6, mode: 2 ** 23 + 0o750, linkTarget: "" });
    expect(String(stat(file)["mtime"])).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/);
    expect(stat(await call("HEAD", archive(id, "tmp/l")))).toMatchObject({
      name: "l",
      mode: 2 ** 27 + 0o777,
      linkTarget: "/tmp/f",
    });
    expect(stat(await call("HEAD", archive(id, "/tmp/w")))["linkTarget"]).toBe("/no/where");
    expect(stat(await call("HEAD", archive(id, "/tmp/")))).toMatchObject({
      name: "tmp",
      mode: 2 ** 31 + 2 ** 20 + 0o777,
    });
    expect(stat(await call("GET", archive(id, "/")))).toMatchObject({ name: "/", mode: 2 ** 31 + 0o755 });
    expect(stat(await call("GET", archive(id, "/tmp/.")))["name"]).toBe(".");
  });

  test("name the entries after the path, and the contents of /. after nothing", async () => {
    await engine.ok(["exec", "stats", "sh", "-c", "mkdir -p /tmp/d/e && echo x > /tmp/d/e/f"]);
    const names = async (path: string): Promise<string[]> =>
      listing(await get("stats", path)).map((line) => line.split(" ")[3] ?? "");
    expect(await names("/tmp/d")).toEqual(["d/", "d/e/", "d/e/f"]);
    expect(await names("/tmp/d/.")).toEqual(["./", "./e/", "./e/f"]);
    expect(await names("/tmp/d/e/f")).toEqual(["f"]);
    expect(await names("/tmp/l")).toEqual(["l"]);
    expect((await names("/"))[0]).toBe("/");
  });

  test("answer as Docker does what does not exist", async () => {
    const missing = await call("GET", archive("stats", "/no/such"));
    expect([missing.status, await missing.json()]).toEqual([
      404,
      { message: "Could not find the file /no/such in container stats" },
    ]);
    expect((await call("HEAD", archive("stats", "/no/such"))).status).toBe(404);
    const nobody = await call("GET", archive("nobody", "/"));
    expect([nobody.status, await nobody.json()]).toEqual([404, { message: "No such container: nobody" }]);
    const nothing = await call("GET", "/containers/stats/archive");
    expect([nothing.status, await nothing.json()]).toEqual([400, { message: "bad parameter: pathcannot be empty" }]);
    expect((await put("stats", "/no/such", new Uint8Array(1024))).status).toBe(404);
    expect(await put("stats", "/tmp/f", new Uint8Array(1024))).toEqual({
      status: 400,
      message: "extraction point is not a directory",
    });
  });
});

describe("PUT /containers/{id}/archive", () => {
  test("keeps owners, modes, times, links, holes, devices, attributes and names of any bytes, in every compression", async () => {
    const tree = join(scratch, "all");
    mkdirSync(join(tree, "sub"), { recursive: true });
    const shell = [
      "echo one > file; chmod 6711 file; chown 12:34 file; touch -d @1000000000 file; ln file sub/hard; ln -s ../file sub/link",
      "mkfifo fifo; mknod null c 1 3; truncate -s 8M sparse; echo end >> sparse; printf x > $(printf 'n\\377')",
      "chmod 1770 sub; touch -d @1100000000 sub",
    ].join(";");
    execFileSync("sh", ["-c", shell], { cwd: tree });
    setXattr(join(tree, "file"), "user.note", "hello");
    await engine.ok(["create", "--name", "kept", "busybox", "true"]);
    const plain = tarOf(tree, "--xattrs", "--sparse");
    const before = listing(tarOf(tree, "--sort=name"));
    for (const program of ["cat", "gzip", "bzip2", "xz", "zstd"]) {
      const body = execFileSync(program, program === "cat" ? [] : ["-c"], {
        input: plain,
        maxBuffer: 64 * 1024 * 1024,
      });
      await put("kept", "/", rawTar([{ path: `${program}/`, type: "5" }]));
      expect(await put("kept", `/${program}`, body)).toEqual({ status: 200, message: "" });
      const back = join(scratch, `back-${program}`);
      mkdirSync(back);
      execFileSync("tar", ["-C", back, "--xattrs", "--xattrs-include=*", "-xpf", "-"], {
        input: await get("kept", `/${program}/.`),
      });
      expect(listing(tarOf(back, "--sort=name")).slice(1)).toEqual(before.slice(1));
      expect(execFileSync("stat", ["-c", "%Y %h", join(back, "file"), join(back, "sub")]).toString()).toBe(
        "1000000000 2\n1100000000 2\n",
      );
      expect(getXattr(join(back, "file"), "user.note")?.toString()).toBe("hello");
    }
  });

  test("merges directories, replaces other files, and with noOverwriteDirNonDir neither by the other", async () => {
    await engine.ok(["create", "--name", "merge", "busybox", "true"]);
    const first = rawTar([
      { path: "tree/", type: "5", mode: 0o700 },
      { path: "tree/kept", content: "kept" },
      { path: "tree/changed/", type: "5" },
      { path: "tree/changed/below", content: "x" },
    ]);
    await put("merge", "/", first);
    const second = rawTar([
      { path: "tree/", type: "5", mode: 0o755 },
      { path: "tree/changed", content: "a file" },
    ]);
    expect(await put("merge", "/", second, "&noOverwriteDirNonDir=true")).toEqual({
      status: 400,
      message: 'cannot overwrite directory "/tree/changed" with non-directory "/"',
    });
    expect(await put("merge", "/", second)).toEqual({ status: 200, message: "" });
    expect(listing(await get("merge", "/tree"))).toEqual([
      "drwxr-xr-x 0/0 0 tree/",
      "-rw-r--r-- 0/0 6 tree/changed",
      "-rw-r--r-- 0/0 4 tree/kept",
    ]);
    expect(await put("merge", "/", first, "&noOverwriteDirNonDir=1")).toEqual({
      status: 400,
      message: 'cannot overwrite non-directory "/tree/changed" with directory "/"',
    });
  });

  test("gives everything to the container's user with copyUIDGID, makes missing directories, and follows links inside", async () => {
    await engine.ok(["create", "--name", "owned", "--user", "app", "busybox", "true"]);
    await put("owned", "/", rawTar([{ path: "to-tmp", type: "2", linkPath: "/tmp" }]));
    const body = rawTar([{ path: "to-tmp/a/b/file", content: "x" }]);
    expect(await put("owned", "/", body, "&copyUIDGID=1")).toEqual({ status: 200, message: "" });
    expect(listing(await get("owned", "/tmp/a"))).toEqual([
      "drwxr-xr-x 0/0 0 a/",
      "drwxr-xr-x 0/0 0 a/b/",
      "-rw-r--r-- 1000/1000 1 a/b/file",
    ]);
    expect(await put("owned", "/to-tmp", rawTar([{ path: "into-link", content: "y" }]))).toMatchObject({ status: 200 });
    expect((await call("HEAD", archive("owned", "/tmp/into-link"))).status).toBe(200);
  });

  test("contains hostile archives", async () => {
    await engine.ok(["create", "--name", "hostile", "busybox", "true"]);
    const outside = join(scratch, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "secret"), "secret");
    const refused = async (...entries: Parameters<typeof rawTar>[0]): Promise<string> => {
      const { status, message } = await put("hostile", "/tmp", rawTar(entries));
      expect(status).toBe(400);
      return message;
    };
    expect(await refused({ path: "../up", content: "x" })).toBe('"../up" is outside of "/tmp"');
    expect(await refused({ path: "a/../../up", content: "x" })).toBe('"a/../../up" is outside of "/tmp"');
    expect(await refused({ path: "hard", type: "1", linkPath: "../etc/passwd" })).toContain("invalid hardlink");
    expect(await refused({ path: ".", content: "x" })).toContain("cannot overwrite directory");
    const links = rawTar([
      { path: "host", type: "2", linkPath: outside },
      { path: "far", type: "2", linkPath: `${"../".repeat(30)}${outside}` },
      { path: "/absolute", content: "x" },
    ]);
    expect(await put("hostile", "/tmp", links)).toEqual({ status: 200, message: "" });
    expect((await call("HEAD", archive("hostile", "/tmp/absolute"))).status).toBe(200);
    for (const link of ["host", "far"]) {
      expect((await call("GET", archive("hostile", `/tmp/${link}/secret`))).status).toBe(404);
      await put("hostile", "/tmp", rawTar([{ path: `${link}/new`, content: "x" }]));
      await put("hostile", "/tmp", rawTar([{ path: `${link}/secret`, type: "1", linkPath: "absolute" }]));
    }
    expect(readdirSync(outside)).toEqual(["secret"]);
    expect(readFileSync(join(outside, "secret"), "utf8")).toBe("secret");
    const truncated = await put(
      "hostile",
      "/tmp",
      rawTar([{ path: "cut", content: "x".repeat(2000) }]).subarray(0, 1024),
    );
    expect(truncated.status).toBe(500);
    expect((await put("hostile", "/tmp", Buffer.from("no tar at all".repeat(100)))).status).toBe(500);
    expect((await put("hostile", "/tmp", new Uint8Array(0))).status).toBe(200);
  });
});

describe("mounts of a container", () => {
  test("are read and written, whether it runs, has run or never ran", async () => {
    const host = join(scratch, "bound");
    mkdirSync(join(host, "sub"), { recursive: true });
    const options = ["-v", "files:/mnt/volume", "-v", `${host}:/mnt/bind`, "-v", `${host}/sub:/mnt/volume/nested`];
    await engine.ok(["create", "--name", "never-ran", ...options, "busybox", "true"]);
    await engine.ok(["run", "--name", "has-run", ...options, "busybox", "true"]);
    await container("runs", ...options, "--tmpfs", "/mnt/memory");
    for (const id of ["never-ran", "has-run", "runs"]) {
      for (const path of ["/mnt/volume", "/mnt/bind", "/mnt/volume/nested"]) {
        expect(await put(id, path, rawTar([{ path: `from-${id}`, content: path }]))).toEqual({
          status: 200,
          message: "",
        });
      }
      expect(listing(await get(id, "/mnt/volume")).map((line) => line.split(" ")[3])).toContain(
        `volume/nested/from-${id}`,
      );
    }
    expect(readdirSync(host).sort()).toEqual(["from-has-run", "from-never-ran", "from-runs", "sub"]);
    expect(readdirSync(join(host, "sub")).sort()).toEqual(["from-has-run", "from-never-ran", "from-runs"]);
    expect(await put("runs", "/mnt/memory", rawTar([{ path: "m", content: "x" }]))).toMatchObject({ status: 200 });
    expect(await engine.ok(["exec", "runs", "ls", "/mnt/memory", "/mnt/volume"])).toContain("from-never-ran");
    expect(listing(await get("runs", "/mnt/memory"))).toContain("-rw-r--r-- 0/0 1 memory/m");
    expect((await get("runs", "/etc/hosts")).toString("latin1")).toContain("localhost");
    expect(await put("runs", "/etc", rawTar([{ path: "hosts", content: "x" }]))).toEqual({
      status: 500,
      message: "unlinkat /etc/hosts: device or resource busy",
    });
  });

  test("that are read-only, and a read-only root, refuse in Docker's words", async () => {
    const host = join(scratch, "read-only");
    mkdirSync(host);
    const options = ["--read-only", "-v", `${host}:/ro:ro`, "-v", "writable:/rw"];
    await container("read-only", ...options);
    await engine.ok(["create", "--name", "read-only-created", ...options, "busybox", "true"]);
    const file = rawTar([{ path: "x", content: "x" }]);
    for (const id of ["read-only", "read-only-created"]) {
      expect(await put(id, "/ro", file)).toEqual({ status: 400, message: "mounted volume is marked read-only" });
      expect(await put(id, "/tmp", file)).toEqual({ status: 400, message: "container rootfs is marked read-only" });
      expect(await put(id, "/rw", file)).toEqual({ status: 200, message: "" });
    }
    expect(await put("never-ran", "/", rawTar([{ path: "mnt/bind/deep", content: "x" }]))).toMatchObject({
      status: 200,
    });
    expect(readdirSync(host)).toEqual([]);
  });

  test("do not lead out when the container swaps a directory for a link meanwhile", async () => {
    const secret = join(scratch, "host-secret");
    mkdirSync(secret);
    writeFileSync(join(secret, "file"), "of the host");
    chmodSync(secret, 0o777);
    const swap = `mkdir /tmp/d; echo mine > /tmp/d/file; while :; do mv /tmp/d /tmp/real; ln -s ${secret} /tmp/d; rm /tmp/d; mv /tmp/real /tmp/d; done`;
    await engine.ok(["run", "-d", "--name", "racing", "busybox", "sh", "-c", swap]);
    const seen = new Set<number>();
    for (let turn = 0; turn < 150; turn++) {
      const read = await call("GET", archive("racing", turn % 2 === 0 ? "/tmp/d/file" : "/tmp/d/."));
      seen.add(read.status);
      const text = await read.text().catch(() => "");
      expect(text).not.toContain("of the host");
      seen.add(
        (
          await put(
            "racing",
            "/tmp/d",
            rawTar([
              { path: "a/", type: "5" },
              { path: "a/new", content: "x" },
            ]),
          )
        ).status,
      );
      await put("racing", "/tmp", rawTar([{ path: "d/other", content: "x" }]));
    }
    expect(seen.has(200)).toBe(true);
    expect(readdirSync(secret)).toEqual(["file"]);
    expect(readFileSync(join(secret, "file"), "utf8")).toBe("of the host");
    await engine.ok(["rm", "-f", "racing"]);
  }, 120_000);
});

describe("GET /containers/{id}/export", () => {
  test("gives the whole root, with the mount points empty and the system's files of no content", async () => {
    const tar = Buffer.from(await (await call("GET", "/containers/runs/export")).arrayBuffer());
    const names = listing(tar).map((line) => line.split(" ").slice(2).join(" "));
    for (const name of ["0 etc/hosts", "0 proc/", "0 dev/", "0 sys/", "0 mnt/volume/", "0 mnt/bind/", "0 tmp/"]) {
      expect(names).toContain(name);
    }
    expect(names.some((name) => /from-runs|^0 \.\/$/.test(name))).toBe(false);
    const created = Buffer.from(await (await call("GET", "/containers/kept/export")).arrayBuffer());
    expect(listing(created).map((line) => line.split(" ").slice(2).join(" "))).toContain("0 etc/resolv.conf");
    expect((await call("GET", "/containers/nobody/export")).status).toBe(404);
  });

  test("leaves nothing mounted of a container that does not run, and tells events", async () => {
    const since = String(Math.floor(Date.now() / 1000));
    await engine.ok(["create", "--name", "quiet", "busybox", "true"]);
    await get("quiet", "/etc");
    await put("quiet", "/etc", rawTar([{ path: "x", content: "x" }]));
    await (await call("GET", "/containers/quiet/export")).arrayBuffer();
    const id = await engine.ok(["inspect", "-f", "{{.Id}}", "quiet"]);
    expect(existsSync(join(engine.execRoot, "m/r", id))).toBe(false);
    const until = String(Math.floor(Date.now() / 1000) + 1);
    const events = await engine.ok([
      "events",
      "--since",
      since,
      "--until",
      until,
      "--filter",
      "container=quiet",
      "--format",
      "{{.Action}}",
    ]);
    expect(events.split("\n")).toEqual(["create", "archive-path", "extract-to-dir", "export"]);
    expect(await engine.ok(["diff", "quiet"])).toBe("C /etc\nA /etc/x");
  });
});
