/** Images made to reach the host, and requests that cannot be fulfilled: refused or harmless, by name, with Docker's exit codes. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { footprint } from "../../tools/harness/footprint.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { paxRecord, type RawEntry, rawEntry, rawTar } from "../../tools/harness/raw-tar.ts";
import { ScriptedRegistry } from "../../tools/harness/scripted-registry.ts";

let engine: PrivateEngine;
let registry: ScriptedRegistry;
/** A directory of the host that no image may touch. */
let host: string;
let images = 0;

beforeAll(async () => {
  registry = await ScriptedRegistry.start();
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
  host = join(engine.directory, "host");
  mkdirSync(host);
  writeFileSync(join(host, "secret"), "of the host");
}, 120_000);

afterAll(async () => {
  expect(readdirSync(host)).toEqual(["secret"]);
  expect(readFileSync(join(host, "secret"), "utf8")).toBe("of the host");
  await engine.close();
  await registry.close();
}, 120_000);

const PROGRAMS: readonly RawEntry[] = [
  { path: "bin/", type: "5" },
  { path: "bin/busybox", mode: 0o755, content: readFileSync("/bin/busybox") },
  ...["sh", "ls", "cat", "true", "id"].map((name) => ({ path: `bin/${name}`, type: "2", linkPath: "busybox" })),
];

/** Pulls an image with the programs and these entries. */
async function pulled(tar: readonly RawEntry[] | Uint8Array): Promise<string> {
  const bytes = tar instanceof Uint8Array ? tar : rawTar([...PROGRAMS, ...tar]);
  const { name } = registry.image(`hostile-${images++}`, [{ tar: bytes }]);
  await engine.ok(["pull", "-q", name]);
  return name;
}

const pax = (key: string, value: string): RawEntry => ({ path: "pax", type: "x", content: paxRecord(key, value) });

describe("a layer", () => {
  const endless = Buffer.concat([
    rawEntry({ path: "pax", type: "x", size: 8 * 1024 ** 3 - 1 }),
    Buffer.alloc(1024 * 1024, "1"),
  ]);

  test.each<[string, readonly RawEntry[] | Uint8Array, string]>([
    [
      "with a name that climbs out",
      [{ path: "../../../../tmp/evil", content: "x" }],
      'entry "../../../../tmp/evil": it is outside',
    ],
    [
      "with a hard link to the outside",
      [{ path: "x", type: "1", linkPath: "../../../../etc/shadow" }],
      "it is outside of the layer's root",
    ],
    [
      "with a hard link to nothing",
      [{ path: "x", type: "1", linkPath: "/etc/shadow" }],
      'a hard link to "/etc/shadow", which is not in this layer',
    ],
    [
      "through links in a circle",
      [{ path: "a", type: "2", linkPath: "b" }, { path: "b", type: "2", linkPath: "a" }, { path: "a/x" }],
      "too many symbolic links",
    ],
    ["with an endless header", endless, "an extended header of 8589934591 bytes is over the limit"],
    [
      "with a malformed PAX record",
      [{ path: "pax", type: "x", content: "99999 a=b\n" }, { path: "x" }],
      "malformed PAX record",
    ],
    [
      "with a path beyond PATH_MAX",
      [pax("path", "d/".repeat(20_000)), { path: "x" }],
      "a name of 40000 bytes is over the limit of 4095",
    ],
    [
      "with a name beyond NAME_MAX",
      [pax("path", "n".repeat(300)), { path: "x" }],
      "a name of 300 bytes is over the limit of 255",
    ],
    [
      "with a file longer than the archive",
      [{ path: "x", size: 1 << 30 }],
      "unexpected EOF: the tar archive is truncated",
    ],
  ])("%s is refused by name", async (_, tar, message) => {
    const bytes = tar instanceof Uint8Array ? tar : rawTar(tar);
    const { name, digests } = registry.image(`refused-${images++}`, [{ tar: bytes }]);
    const result = await engine.berth(["pull", "-q", name]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toStartWith(`layer ${digests[0]}: `);
    expect(result.stderr).toContain(message);
    expect(result.stderr.trim().split("\n")).toHaveLength(1);
  });

  test("with absolute names, links to the host and deep paths stays inside the root", async () => {
    const deep = "d/".repeat(2000);
    const name = await pulled([
      { path: join(host, "absolute"), content: "inside" },
      { path: "out", type: "2", linkPath: host },
      { path: "out/through", content: "inside" },
      pax("path", `${deep}f`),
      { path: "deep", content: "x" },
    ]);
    expect(await engine.ok(["run", "--rm", name, "ls", "/out/"])).toBe("absolute\nthrough");
  });

  test("with device nodes gives no device", async () => {
    const runtime = await engine.ok(["info", "-f", "{{.DefaultRuntime}}"]);
    const name = await pulled([
      { path: "null", type: "3", major: 1, minor: 3, mode: 0o666 },
      { path: "disk", type: "4", major: 8, minor: 0, mode: 0o666 },
    ]);
    for (const flags of [[], ["--privileged"]]) {
      const result = await engine.berth(["run", "--rm", ...flags, name, "cat", "/null", "/disk"]);
      expect(result.exitCode).toBe(1);
      // crun takes "nodev" off the root: there, as in Docker, the rules for devices alone keep the disk away.
      if (runtime === "runc") expect(result.stderr.match(/Permission denied/g)).toHaveLength(2);
      else if (flags.length === 0) expect(result.stderr).toContain("can't open '/disk': Operation not permitted");
    }
  });
});

describe("a root", () => {
  test.each(["dev", "proc", "sys"])("whose /%s is a link is refused, wherever that leads", async (path) => {
    for (const linkPath of [host, "/bin"]) {
      const result = await engine.berth(["run", "--rm", await pulled([{ path, type: "2", linkPath }]), "true"]);
      expect(result.exitCode).toBe(125);
      expect(result.stderr).toContain(`"/${path}" is a symbolic link: it must be a directory`);
    }
  });

  test.each([
    ["etc", [], "/etc"],
    ["etc/hosts", [], "/etc/hosts"],
    ["etc/resolv.conf", [], "/etc/resolv.conf"],
    ["data", ["-v", "volume:/data"], "/data"],
    ["data", ["--tmpfs", "/data/deeper"], "/data"],
  ])("whose /%s is a link out is refused as a mount target %p", async (path, flags, link) => {
    const name = await pulled([{ path, type: "2", linkPath: host }]);
    const result = await engine.berth(["run", "--rm", ...flags, name, "true"]);
    expect(result.exitCode).toBe(125);
    expect(result.stderr).toContain(`"${link}" is a symbolic link that leads out of the container's root`);
  });

  test("whose user database is a fifo or a circle is refused, not waited for", async () => {
    for (const entry of [{ type: "6" }, { type: "2", linkPath: "/etc/passwd" }]) {
      const name = await pulled([{ path: "etc/passwd", ...entry }]);
      const result = await engine.berth(["run", "--rm", "-u", "daemon", name, "true"]);
      expect(result.exitCode).toBe(125);
      expect(result.stderr).toContain("/etc/passwd");
    }
  });
});

describe("berth run", () => {
  test.each<[string, readonly string[], number, string]>([
    ["an unknown user", ["-u", "nope", "busybox"], 125, "unable to find user nope: no matching entries in passwd file"],
    [
      "an unknown group",
      ["-u", "0:nope", "busybox"],
      125,
      "unable to find group nope: no matching entries in group file",
    ],
    [
      "a relative working directory",
      ["-w", "x", "busybox"],
      125,
      "the working directory 'x' is invalid, it needs to be an absolute path",
    ],
    [
      "a missing entrypoint",
      ["--entrypoint", "/nope", "busybox"],
      127,
      'exec: "/nope": stat /nope: no such file or directory',
    ],
    ["a directory as command", ["busybox", "/etc"], 126, 'exec: "/etc": permission denied'],
    ["a file mounted on a directory", ["-v", "/etc/hostname:/etc", "busybox"], 125, "not a directory"],
    ["an unknown network", ["--network", "nope", "busybox"], 125, "network nope not found"],
    [
      "an address of another machine",
      ["-p", "192.0.2.1:8080:80", "busybox"],
      125,
      "listen tcp4 192.0.2.1:8080: bind: cannot assign requested address",
    ],
    ["too little memory", ["-m", "1k", "busybox"], 125, "Minimum memory limit allowed is 6MB"],
    ["an unknown capability", ["--cap-add", "NOPE", "busybox"], 125, 'unknown capability: "CAP_NOPE"'],
    ["a name that cannot be", ["--name", "a b", "busybox"], 125, "Invalid container name (a b)"],
  ])("says what is wrong with %s", async (_, args, exitCode, message) => {
    const result = await engine.berth(["run", "--rm", ...args]);
    expect(result.exitCode).toBe(exitCode);
    expect(result.stderr.toLowerCase()).toContain(message.toLowerCase());
    expect(await engine.ok(["ps", "-aq"])).toBe("");
  });

  test("makes a working directory that is missing", async () => {
    expect(await engine.ok(["run", "--rm", "-w", "/made/for/this", "busybox", "pwd"])).toBe("/made/for/this");
  });

  test("does not take a port that a process of this host has, and takes it when it is free", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const result = await engine.berth([
      "run",
      "-d",
      "--name",
      "taker",
      "-p",
      `127.0.0.1:${port}:80`,
      "busybox",
      "sleep",
      "100",
    ]);
    expect(result.exitCode).toBe(125);
    expect(result.stderr).toContain(`listen tcp4 127.0.0.1:${port}: bind: address already in use`);
    expect(await engine.ok(["inspect", "-f", "{{.State.Status}}", "taker"])).toBe("created");
    await new Promise((resolve) => server.close(resolve));
    await engine.ok(["start", "taker"]);
    await engine.ok(["rm", "-f", "taker"]);
  });

  test("leaves nothing behind of all these", async () => {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const held = Object.entries(await footprint(engine)).filter(([, names]) => names.length > 0);
      if (held.length === 0) return;
      // Writable directories are deleted behind the caller's back.
      if (Date.now() > deadline) expect(held).toEqual([]);
      await Bun.sleep(50);
    }
  });
});
