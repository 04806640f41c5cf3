/** Propagation of binds, on the real kernel: below a directory that this test shares, as systemd shares everything. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

let directory: string;
let engine: PrivateEngine;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "berth-propagation-"));
  // All that the engine mounts lies on a shared mount, as on a machine that systemd runs.
  await must("mount", "--bind", directory, directory);
  await must("mount", "--make-shared", directory);
  engine = await PrivateEngine.start({ directory });
  await makeBusybox(engine);
}, 120_000);

afterAll(async () => {
  await engine.stop();
  await engine.cleanUp();
  await must("umount", "-R", directory);
  rmSync(directory, { recursive: true });
}, 120_000);

async function must(program: string, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run(program, args);
  if (exitCode !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
  return stdout;
}

async function refusal(...args: readonly string[]): Promise<string> {
  const { exitCode, stderr } = await engine.berth(args);
  expect(exitCode).not.toBe(0);
  return stderr.split("\n")[0] ?? "";
}

describe("a bind's propagation", () => {
  test.each([
    { mode: "", in: false, out: false },
    { mode: "private", in: false, out: false },
    { mode: "rprivate", in: false, out: false },
    { mode: "slave", in: true, out: false },
    { mode: "rslave", in: true, out: false },
    { mode: "shared", in: true, out: true },
    { mode: "rshared", in: true, out: true },
  ])("$mode carries mounts in: $in, out: $out", async (expected) => {
    const shared = join(directory, "..", `${directory.split("/").at(-1)}-${expected.mode || "default"}`);
    mkdirSync(shared);
    await must("mount", "-t", "tmpfs", "tmpfs", shared);
    await must("mount", "--make-shared", shared);
    try {
      mkdirSync(join(shared, "host"));
      mkdirSync(join(shared, "container"));
      const bind = expected.mode === "" ? `${shared}:/shared` : `${shared}:/shared:${expected.mode}`;
      const name = `carries-${expected.mode || "default"}`;
      await engine.ok(["run", "-d", "--privileged", "--name", name, "-v", bind, "busybox", "sleep", "100"]);
      await must("mount", "-t", "tmpfs", "tmpfs", join(shared, "host"));
      await engine.ok(["exec", name, "mount", "-t", "tmpfs", "tmpfs", "/shared/container"]);
      const inside = await engine.ok(["exec", name, "cat", "/proc/mounts"]);
      const outside = await must("cat", "/proc/mounts");
      expect({
        mode: expected.mode,
        in: inside.includes(" /shared/host "),
        out: outside.includes(` ${join(shared, "container")} `),
      }).toEqual(expected);
      const shown = await engine.ok(["inspect", "-f", "{{(index .Mounts 0).Propagation}}", name]);
      expect(shown).toBe(expected.mode || "rprivate");
      await engine.ok(["rm", "-f", name]);
    } finally {
      await run("umount", ["-R", shared]);
      rmSync(shared, { recursive: true });
    }
  });

  test("that the host does not share is refused", async () => {
    const alone = mkdtempSync(join(tmpdir(), "berth-unshared-"));
    await must("mount", "-t", "tmpfs", "tmpfs", alone);
    await must("mount", "--make-private", alone);
    try {
      for (const [mode, wanted] of [
        ["rslave", "a shared or slave mount"],
        ["rshared", "a shared mount"],
      ] as const)
        expect(await refusal("run", "--rm", "-v", `${alone}:/x:${mode}`, "busybox", "true")).toEndWith(
          `path ${alone} is mounted on ${alone} but it is not ${wanted}`,
        );
    } finally {
      await must("umount", alone);
      rmSync(alone, { recursive: true });
    }
  });
});

describe("a bind that shows what the engine mounts", () => {
  test("is a slave, and holds no container's root", async () => {
    const host = ["-v", `${directory}:/host`, "busybox"];
    await engine.ok(["run", "-d", "--name", "ended", "busybox", "sleep", "100"]);
    await engine.ok(["run", "-d", "--name", "watcher", ...host, "sleep", "100"]);
    expect(await engine.ok(["inspect", "-f", "{{(index .Mounts 0).Propagation}}", "watcher"])).toBe("rslave");
    const id = await engine.ok(["inspect", "-f", "{{.Id}}", "ended"]);
    const seen = (): Promise<string> => engine.ok(["exec", "watcher", "cat", "/proc/mounts"]);
    expect(await seen()).toContain(`/host/run/m/r/${id} `);
    await engine.ok(["rm", "-f", "ended"]);
    expect(await seen()).not.toContain(id);
    await engine.ok(["rm", "-f", "watcher"]);
  });

  test("is refused with a propagation that would hold it", async () => {
    const says = (mode: string, source: string, root: string): string =>
      `invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: "${root}", bind mount source: "${source}", propagation: "${mode}"`;
    const volumes = join(engine.dataRoot, "volumes");
    for (const mode of ["private", "rprivate", "shared", "slave"]) {
      expect(await refusal("create", "-v", `/:/host:${mode}`, "busybox")).toEndWith(says(mode, "/", engine.dataRoot));
      const mount = `type=bind,source=${volumes},target=/v,bind-propagation=${mode}`;
      expect(await refusal("create", "--mount", mount, "busybox")).toEndWith(says(mode, volumes, engine.dataRoot));
    }
    expect(await engine.ok(["ps", "-aq"])).toBe("");
  });

  test("is private where the host shares nothing, instead of an error", async () => {
    const alone = mkdtempSync(join(tmpdir(), "berth-alone-"));
    const other = await PrivateEngine.start({ directory: alone });
    try {
      await makeBusybox(other);
      const bind = ["-v", `${alone}:/host`, "busybox", "ls", "/host/data"];
      expect(await other.ok(["run", "--rm", ...bind])).toContain("layers");
    } finally {
      await other.close();
    }
  }, 120_000);
});

test("z and Z are accepted, and change nothing where no SELinux is", async () => {
  for (const mode of ["z", "Z", "ro,Z", "z,rw"]) {
    const id = await engine.ok(["create", "-v", `/srv:/srv:${mode}`, "busybox"]);
    expect(await engine.ok(["inspect", "-f", "{{(index .Mounts 0).Mode}}", id])).toBe(mode);
    await engine.ok(["start", id]);
    await engine.ok(["rm", "-f", id]);
  }
});
