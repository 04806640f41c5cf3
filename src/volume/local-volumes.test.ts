import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { LocalVolumeStore, type VolumeRecords } from "./local-volumes.ts";
import type { Volume } from "./volume-store.ts";

let scratch: string;
let rows: Map<string, Volume>;
let store: LocalVolumeStore;

function openStore(): LocalVolumeStore {
  const records: VolumeRecords = {
    load: () => [...rows.values()],
    save: (volume) => void rows.set(volume.name, volume),
    delete: (name) => void rows.delete(name),
  };
  return new LocalVolumeStore({ directory: join(scratch, "volumes"), rows: records });
}

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "berth-volume-"));
  rows = new Map();
  store = openStore();
});

afterEach(() => rmSync(scratch, { recursive: true, force: true }));

describe("LocalVolumeStore.create()", () => {
  test("makes an empty directory that another store finds again", async () => {
    const volume = await store.create("web-data", { labels: { a: "b" } });
    expect(volume.mountpoint).toBe(join(scratch, "volumes/web-data/_data"));
    expect(statSync(volume.mountpoint).mode & 0o777).toBe(0o755);
    expect(openStore().get("web-data")).toEqual(volume);
  });

  test("returns the volume that exists, also to callers at once", async () => {
    const [first, second] = await Promise.all([store.create("same"), store.create("same", { labels: { late: "1" } })]);
    expect(second).toEqual(first);
    expect(store.list()).toHaveLength(1);
  });

  test("gives an anonymous volume a random name", async () => {
    const volume = await store.create("", { anonymous: true });
    expect(volume.name).toMatch(/^[0-9a-f]{64}$/);
    expect(volume.anonymous).toBe(true);
  });

  test.each(["../x", "a/b", ".hidden", "a b", "-v"])("refuses the name %p with Docker's words", async (name) => {
    await expect(store.create(name)).rejects.toThrow(InvalidParameterError);
    await expect(store.create(name)).rejects.toThrow(
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed.`,
    );
  });

  test.each([
    [{ colour: "red" }, 'invalid option: "colour"'],
    [{ type: "tmpfs" }, 'missing required option: "device"'],
    [{ device: "/x" }, 'missing required option: "type"'],
    [{ size: "1m" }, "quota size requested but no quota support"],
  ])("refuses the driver options %p in Docker's words", async (driverOpts, problem) => {
    await expect(store.create("vol", { driverOpts })).rejects.toThrow(`create vol: ${problem}`);
    expect(store.list()).toEqual([]);
  });
});

describe("LocalVolumeStore.use()", () => {
  const isMounted = (path: string): boolean => readFileSync("/proc/self/mountinfo", "utf8").includes(` ${path} `);

  test("mounts what the options name for the first user and until the last", async () => {
    const driverOpts = { type: "tmpfs", device: "tmpfs", o: "size=1m,uid=1000,noexec" };
    const { mountpoint } = await store.create("memory", { driverOpts });
    expect(isMounted(mountpoint)).toBe(false);
    expect(await store.use("memory", "a")).toBe(mountpoint);
    await store.use("memory", "b");
    await store.use("memory", "b");
    expect(statSync(mountpoint).uid).toBe(1000);
    expect(await store.release("memory", "a")).toBe(true);
    expect(isMounted(mountpoint)).toBe(true);
    expect(await store.release("memory", "b")).toBe(true);
    expect(await store.release("memory", "b")).toBe(false);
    expect(isMounted(mountpoint)).toBe(false);
  });

  test("finds and takes away what an earlier store mounted, and deletes nothing of a bind", async () => {
    const host = join(scratch, "host");
    mkdirSync(host);
    writeFileSync(join(host, "precious"), "x");
    const { mountpoint } = await store.create("bound", { driverOpts: { type: "none", device: host, o: "bind,ro" } });
    await store.use("bound", "a");
    expect(readdirSync(mountpoint)).toEqual(["precious"]);
    expect(() => writeFileSync(join(mountpoint, "new"), "")).toThrow(/EROFS/);
    const next = openStore();
    next.adopt("bound", "a");
    await next.releaseUnused();
    expect(isMounted(mountpoint)).toBe(true);
    await next.remove("bound");
    expect(isMounted(mountpoint)).toBe(false);
    expect(readdirSync(host)).toEqual(["precious"]);
  });

  test("rejects with the kernel's word, without the password", async () => {
    await store.create("bad", { driverOpts: { type: "nosuchfs", device: "none", o: "password=secret" } });
    await expect(store.use("bad", "a")).rejects.toThrow(
      /failed to mount local volume: mount none:.*password=\*+: no such device/,
    );
    await store.create("gone", { driverOpts: { type: "none", device: "/no/where", o: "bind" } });
    await expect(store.use("gone", "a")).rejects.toThrow("no such file or directory");
    await expect(store.use("nobody", "a")).rejects.toThrow(NotFoundError);
  });
});

describe("LocalVolumeStore.remove()", () => {
  test("removes directory and record", async () => {
    const volume = await store.create("gone");
    writeFileSync(join(volume.mountpoint, "file"), "x");
    await store.remove("gone");
    expect(readdirSync(join(scratch, "volumes"))).toEqual([]);
    expect(rows.size).toBe(0);
    expect(store.get("gone")).toBeUndefined();
  });

  test("rejects an unknown name", async () => {
    await expect(store.remove("nope")).rejects.toThrow(NotFoundError);
  });
});

test("LocalVolumeStore.sweep() finishes a removal that a crash cut short, and forgets no volume else whose directory is gone", async () => {
  for (const name of ["doomed", "kept"]) await store.create(name);
  rmSync(join(scratch, "volumes/kept"), { recursive: true });
  await openStore().sweep();
  expect([...rows.keys()]).toEqual(["doomed", "kept"]);
  await store.create("kept");
  renameSync(join(scratch, "volumes/doomed"), join(scratch, "volumes/.removed-1234"));
  const next = openStore();
  await next.sweep();
  expect([...rows.keys()]).toEqual(["kept"]);
  expect(next.get("doomed")).toBeUndefined();
  expect(readdirSync(join(scratch, "volumes"))).toEqual(["kept"]);
});

test("LocalVolumeStore.sweep() removes what a crashed removal or creation left, and no data", async () => {
  await store.create("kept");
  for (const path of [".removed-1234/_data", "begun", "half-made/_data", "unknown/_data"])
    mkdirSync(join(scratch, "volumes", path), { recursive: true });
  writeFileSync(join(scratch, "volumes/unknown/_data/file"), "somebody's");
  writeFileSync(join(scratch, "volumes/note"), "somebody's");
  await store.sweep();
  expect(readdirSync(join(scratch, "volumes")).toSorted()).toEqual(["kept", "note", "unknown"]);
  expect(existsSync(join(scratch, "volumes/unknown/_data/file"))).toBe(true);
});

describe("LocalVolumeStore.copyUp()", () => {
  let root: string;
  beforeEach(() => {
    root = join(scratch, "root");
    mkdirSync(join(root, "srv/data/sub"), { recursive: true });
    const file = join(root, "srv/data/sub/file");
    writeFileSync(file, "content");
    chownSync(file, 1234, 4321);
    chmodSync(file, 0o4750);
    utimesSync(file, 1_000_000_000, 1_000_000_000);
    linkSync(file, join(root, "srv/data/hard"));
    symlinkSync("/etc/passwd", join(root, "srv/data/link"));
    execFileSync("mknod", [join(root, "srv/data/null"), "c", "1", "3"]);
    chownSync(join(root, "srv/data"), 99, 98);
    chmodSync(join(root, "srv/data"), 0o1770);
  });

  test("copies owner, mode, times, hard links, symlinks and devices", async () => {
    const { mountpoint } = await filled("/srv/data");
    const file = lstatSync(join(mountpoint, "sub/file"));
    expect([file.uid, file.gid, file.mode & 0o7777, file.mtimeMs]).toEqual([1234, 4321, 0o4750, 1_000_000_000_000]);
    expect(lstatSync(join(mountpoint, "hard")).ino).toBe(file.ino);
    expect(readlinkSync(join(mountpoint, "link"))).toBe("/etc/passwd");
    expect(lstatSync(join(mountpoint, "null")).isCharacterDevice()).toBe(true);
    const top = statSync(mountpoint);
    expect([top.uid, top.gid, top.mode & 0o7777]).toEqual([99, 98, 0o1770]);
    expect(readdirSync(join(mountpoint, ".."))).toEqual(["_data"]);
  });

  test("leaves a volume alone that has content", async () => {
    const volume = await store.create("vol");
    writeFileSync(join(volume.mountpoint, "mine"), "x");
    await store.copyUp(volume.name, root, "/srv/data");
    expect(readdirSync(volume.mountpoint)).toEqual(["mine"]);
  });

  test("makes a copy anew that a crash cut short", async () => {
    const volume = await store.create("vol");
    writeFileSync(join(volume.mountpoint, "half"), "x");
    writeFileSync(join(volume.mountpoint, "../.copying"), "");
    await store.copyUp(volume.name, root, "/srv/data");
    expect(readdirSync(volume.mountpoint).sort()).toEqual(["hard", "link", "null", "sub"]);
  });

  test.each(["/absent", "/srv/data/sub/file", "/srv/data/sub/file/below"])(
    "does nothing for %p, which is no directory",
    async (path) => {
      const { mountpoint } = await filled(path);
      expect(readdirSync(mountpoint)).toEqual([]);
    },
  );

  test("resolves links as inside the root", async () => {
    symlinkSync("/srv/data", join(root, "absolute"));
    symlinkSync("../../../../srv/data", join(root, "upwards"));
    expect(readdirSync((await filled("/absolute")).mountpoint)).toContain("hard");
    expect(readdirSync((await filled("/upwards")).mountpoint)).toContain("hard");
  });

  test("never reads outside the root through links", async () => {
    const secret = join(scratch, "secret");
    mkdirSync(secret);
    writeFileSync(join(secret, "key"), "x");
    symlinkSync(secret, join(root, "out"));
    symlinkSync("../secret", join(root, "up"));
    expect(readdirSync((await filled("/out")).mountpoint)).toEqual([]);
    expect(readdirSync((await filled("/up")).mountpoint)).toEqual([]);
  });

  test("does nothing for a loop of links", async () => {
    symlinkSync("loop", join(root, "loop"));
    expect(readdirSync((await filled("/loop")).mountpoint)).toEqual([]);
  });

  test("runs once for callers at once", async () => {
    const volume = await store.create("vol");
    await Promise.all([1, 2, 3].map(() => store.copyUp(volume.name, root, "/srv/data")));
    expect(readFileSync(join(volume.mountpoint, "sub/file"), "utf8")).toBe("content");
    expect(existsSync(join(volume.mountpoint, "../.copying"))).toBe(false);
  });

  async function filled(path: string): Promise<Volume> {
    const volume = await store.create("");
    await store.copyUp(volume.name, root, path);
    return volume;
  }
});

test("LocalVolumeStore.usage() counts bytes on disk", async () => {
  const volume = await store.create("vol");
  writeFileSync(join(volume.mountpoint, "file"), Buffer.alloc(1_000_000, 1));
  expect(await store.usage(volume)).toBeGreaterThanOrEqual(1_000_000);
  // Somebody removes it between the list and the measuring.
  await store.remove(volume.name);
  expect(await store.usage(volume)).toBe(0);
});
