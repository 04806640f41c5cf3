import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import type { Finished } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { rawTar } from "../../tools/harness/raw-tar.ts";

let engine: PrivateEngine;
let work: string;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
  work = join(engine.directory, "work");
  mkdirSync(join(work, "dir/sub"), { recursive: true });
  writeFileSync(join(work, "dir/a"), "a\n");
  writeFileSync(join(work, "dir/sub/b"), "b\n");
  writeFileSync(join(work, "file"), "f\n", { mode: 0o640 });
  symlinkSync("dir", join(work, "ldir"));
  symlinkSync("file", join(work, "lfile"));
  await engine.ok(["run", "-d", "--name", "box", "busybox", "sleep", "100000"]);
  await engine.ok([
    "exec",
    "box",
    "sh",
    "-c",
    "mkdir -p /w/dir/sub; cd /w; echo a > dir/a; echo b > dir/sub/b; echo f > file; ln -s dir ldir; ln -s /w/file lfile; ln -s gone lbad",
  ]);
}, 120_000);

afterAll(() => engine.close(), 120_000);

const cp = (...args: string[]): Promise<Finished> => engine.berth(["cp", ...args], { cwd: work });

/** Files below a path of the container, sorted. */
const inside = async (path: string): Promise<string[]> =>
  (await engine.ok(["exec", "box", "find", path])).split("\n").sort();

/** A fresh local directory. */
function target(name: string): string {
  const path = join(work, "out", name);
  mkdirSync(path, { recursive: true });
  return path;
}

describe("berth cp to a container", () => {
  test("follows Docker's table of sources and destinations", async () => {
    await engine.ok(["exec", "box", "mkdir", "/to"]);
    expect(await cp("dir", "box:/to/new")).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    expect(await inside("/to")).toEqual(["/to", "/to/new", "/to/new/a", "/to/new/sub", "/to/new/sub/b"]);
    await cp("dir", "box:/to/new");
    expect(await inside("/to/new/dir")).toContain("/to/new/dir/sub/b");
    await cp("dir/.", "box:/to/contents/");
    expect(await inside("/to/contents")).toContain("/to/contents/a");
    await cp("file", "box:/to/renamed");
    await cp("file", "box:/to/new/");
    expect(await engine.ok(["exec", "box", "cat", "/to/renamed", "/to/new/file"])).toBe("f\nf");
    await cp("lfile", "box:/to/as-link");
    expect(await engine.ok(["exec", "box", "readlink", "/to/as-link"])).toBe("file");
    await cp("-L", "lfile", "box:/to/followed");
    expect(await engine.ok(["exec", "box", "cat", "/to/followed"])).toBe("f");
    await cp("-L", "ldir", "box:/to");
    expect(await inside("/to/ldir")).toContain("/to/ldir/a");
    await cp("file", "box:to/relative");
    expect(await inside("/to/relative")).toEqual(["/to/relative"]);
  });

  test("fails as Docker does, and changes nothing", async () => {
    const failure = async (...args: string[]): Promise<string> => {
      const { exitCode, stdout, stderr } = await cp(...args);
      expect([exitCode, stdout]).toEqual([1, ""]);
      return stderr.trim().replaceAll(work, "W");
    };
    expect(await failure("dir", "box:/w/file")).toBe("cannot copy directory");
    expect(await failure("file", "box:/w/none/")).toBe("no such directory");
    expect(await failure("file", "box:/none/x")).toBe(
      "Error response from daemon: Could not find the file /none in container box",
    );
    expect(await failure("file", "box:/w/file/x")).toBe(
      "Error response from daemon: extraction point is not a directory",
    );
    expect(await failure("missing", "box:/w")).toBe("lstat W/missing: no such file or directory");
    expect(await failure("file/", "box:/w")).toBe("not a directory");
    expect(await failure("file", "nobody:/w")).toBe("Error response from daemon: No such container: nobody");
    expect(await failure("file", "other")).toBe("must specify at least one container source");
    expect(await failure("box:/a", "box:/b")).toBe("copying between containers is not supported");
    expect(await failure("", "box:/b")).toBe("source can not be empty");
    expect(await failure("-", "box:/w/file")).toBe('destination "box:/w/file" must be a directory');
    expect(await inside("/w/file")).toEqual(["/w/file"]);
  });

  test("takes a tar from stdin, keeps owners, and gives them to the container's user with -a", async () => {
    const tar = rawTar([{ path: "piped", content: "through stdin" }]);
    expect(await engine.berth(["cp", "-", "box:/tmp"], { input: tar })).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: "",
    });
    expect(await engine.ok(["exec", "box", "cat", "/tmp/piped"])).toBe("through stdin");
    await engine.ok(["create", "--name", "apps", "--user", "app", "busybox", "true"]);
    execFileSync("chown", ["77:88", join(work, "file")]);
    const owner = async (): Promise<string> => {
      const tarred = await engine.berth(["cp", "apps:/tmp/file", "-"]);
      return execFileSync("tar", ["--numeric-owner", "-tvf", "-"], { input: Buffer.from(tarred.stdout, "latin1") })
        .toString()
        .split(" ")
        .slice(0, 2)
        .join(" ");
    };
    await cp("file", "apps:/tmp");
    expect(await owner()).toBe("-rw-r----- 77/88");
    await cp("-a", "file", "apps:/tmp");
    expect(await owner()).toBe("-rw-r----- 1000/1000");
  });
});

describe("berth cp from a container", () => {
  test("follows Docker's table of sources and destinations", async () => {
    const out = target("table");
    expect(await cp("box:/w/dir", `${out}/new`)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    expect(readdirSync(join(out, "new")).sort()).toEqual(["a", "sub"]);
    await cp("box:/w/dir", out);
    await cp("box:/w/dir/.", join(out, "dir/sub"));
    expect(readdirSync(join(out, "dir/sub")).sort()).toEqual(["a", "b", "sub"]);
    await cp("box:/w/lfile", out);
    expect(readlinkSync(join(out, "lfile"))).toBe("/w/file");
    await cp("-L", "box:/w/lfile", `${out}/followed`);
    await cp("-L", "box:/w/lfile", join(out, "new"));
    expect(readFileSync(join(out, "followed"), "utf8") + readFileSync(join(out, "new/lfile"), "utf8")).toBe("f\nf\n");
    await cp("-L", "box:/w/ldir", out);
    expect(readdirSync(join(out, "ldir")).sort()).toEqual(["a", "sub"]);
    await cp("box:/w/ldir/", `${out}/slash`);
    expect(readdirSync(join(out, "slash")).sort()).toEqual(["a", "sub"]);
    const stats = statSync(join(out, "followed"));
    expect([stats.uid, stats.mode & 0o777]).toEqual([process.getuid?.() ?? 0, 0o644]);
    await cp("box:/", join(out, "root"));
    expect(existsSync(join(out, "root/w/file"))).toBe(true);
    expect(lstatSync(join(out, "root/w/lbad")).isSymbolicLink()).toBe(true);
  });

  test("fails as Docker does", async () => {
    const out = target("failures");
    writeFileSync(join(out, "file"), "");
    mkdirSync(join(out, "file2"));
    const failure = async (...args: string[]): Promise<string> => {
      const { exitCode, stderr } = await cp(...args);
      expect(exitCode).toBe(1);
      return stderr.trim().replaceAll(out, "W");
    };
    expect(await failure("box:/w/dir", `${out}/file`)).toBe("cannot copy directory");
    expect(await failure("box:/w/file", `${out}/none/`)).toBe("no such directory");
    expect(await failure("box:/w/file", `${out}/none/x`)).toBe(
      'invalid output path: directory "W/none" does not exist',
    );
    expect(await failure("box:/none", out)).toBe(
      "Error response from daemon: Could not find the file /none in container box",
    );
    expect(await failure("box:/w/file", "/dev/null")).toBe(
      'invalid output path: "/dev/null" must be a directory or a regular file: got a device',
    );
    mkdirSync(join(out, "d/file"), { recursive: true });
    expect(await failure("box:/w/file", `${out}/d`)).toBe(
      'cannot overwrite directory "W/d/file" with non-directory "W/d"',
    );
  });

  test("says how much was copied where stdout is a terminal or with -q=false, and is silent otherwise", async () => {
    const out = target("words");
    expect(await cp("-q=false", "box:/w/file", `${out}/x`)).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: `Successfully copied 2.05kB to ${out}/x\n`,
    });
    expect((await cp("-q=false", "file", "box:/w/file")).stderr).toBe("Successfully copied 2.05kB to box:/w/file\n");
  });

  test("does not write outside of the destination, whatever the archive says", async () => {
    const out = target("hostile");
    const { localUntar } = await import("../../src/client/copy/local-untar.ts");
    const unpack = (...entries: Parameters<typeof rawTar>[0]): Promise<void> =>
      localUntar(
        (async function* () {
          yield rawTar(entries);
        })(),
        join(out, "in"),
        (name) => name,
      );
    mkdirSync(join(out, "in"));
    await expect(unpack({ path: "../up", content: "x" })).rejects.toThrow("is outside of");
    await expect(unpack({ path: "l", type: "2", linkPath: out }, { path: "l/x", content: "x" })).rejects.toThrow(
      "is outside of",
    );
    await expect(unpack({ path: "h", type: "1", linkPath: "../../file" })).rejects.toThrow("is outside of");
    expect(readdirSync(out)).toEqual(["in"]);
  });
});

describe("berth export", () => {
  test("writes the root filesystem to a file or to stdout", async () => {
    const out = target("export");
    await engine.ok(["export", "-o", `${out}/box.tar`, "box"]);
    const names = execFileSync("tar", ["-tf", `${out}/box.tar`])
      .toString()
      .split("\n");
    expect(names).toContain("w/dir/sub/b");
    expect((await engine.berth(["container", "export", "box"])).stdout).toContain("w/dir/sub/b");
    expect(await engine.berth(["export", "-o", `${out}/none/x`, "box"])).toMatchObject({
      exitCode: 1,
      stderr: `failed to export container: invalid output path: directory "${out}/none" does not exist\n`,
    });
    expect((await engine.berth(["export", "nobody"])).stderr).toBe(
      "Error response from daemon: No such container: nobody\n",
    );
  });
});
