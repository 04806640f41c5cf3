import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { SystemError } from "#errors/errors.ts";
import { SystemCallError } from "../libc.ts";
import { mountFileSystem, unmount } from "./mount.ts";
import { mountByOptions } from "./mount-by-options.ts";
import { mountsBelow, parseMountInfo } from "./mount-info.ts";

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "berth mount-"));
  for (const name of ["a", "b", "upper", "work", "root"]) mkdirSync(join(base, name));
});
afterEach(async () => {
  for (const { mountPoint } of [...mountsBelow(base)].reverse()) await unmount(mountPoint);
  expect(mountsBelow(base)).toEqual([]);
  rmSync(base, { recursive: true });
});

describe("mountFileSystem()", () => {
  test("mounts with options and attributes that mountinfo shows", () => {
    mountFileSystem("tmpfs", "berth", join(base, "a"), [["size", "64k"]], ["noDevices", "noSetUid", "readOnly"]);
    const [mount] = mountsBelow(base);
    expect(mount).toMatchObject({ type: "tmpfs", source: "berth", mountPoint: join(base, "a") });
    expect(mount?.options).toContain("nodev");
    expect(mount?.options).toContain("nosuid");
    expect(mount?.superOptions).toContain("size=64k");
    expect(mount?.superOptions).toContain("ro");
  });

  test("stacks directories by overlay and reports the kernel's reason for a refusal", () => {
    writeFileSync(join(base, "a/file"), "lower");
    const options = [
      ["lowerdir+", join(base, "a")],
      ["lowerdir+", join(base, "b")],
      ["upperdir", join(base, "upper")],
      ["workdir", join(base, "work")],
    ] as const;
    mountFileSystem("overlay", "overlay", join(base, "root"), options);
    expect(readFileSync(join(base, "root/file"), "utf8")).toBe("lower");
    const refused = (): void => mountFileSystem("overlay", "overlay", join(base, "root"), [["lowerdir+", "/none"]]);
    expect(refused).toThrow(SystemCallError);
    expect(() => mountFileSystem("tmpfs", "x", join(base, "a"), [["sise", "1"]])).toThrow(/Unknown parameter 'sise'/);
    expect(() => mountFileSystem("nosuchfs", "x", join(base, "a"))).toThrow(/fsopen "nosuchfs".*ENODEV/);
  });
});

describe("unmount()", () => {
  test("takes a busy mount away, and says when nothing was mounted", async () => {
    mountFileSystem("tmpfs", "berth", join(base, "a"));
    const user = Bun.spawn(["sleep", "5"], { cwd: join(base, "a") });
    expect(await unmount(join(base, "a"))).toBe(true);
    expect(mountsBelow(base)).toEqual([]);
    expect(await unmount(join(base, "a"))).toBe(false);
    expect(await unmount(join(base, "none"))).toBe(false);
    user.kill("SIGKILL");
    await user.exited;
  });
});

describe("parseMountInfo()", () => {
  test("reads optional fields and escaped paths", () => {
    const text = "36 35 98:0 /m\\040x /mnt\\134 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n";
    expect(parseMountInfo(text)).toEqual([
      {
        id: 36,
        parentId: 35,
        device: "98:0",
        root: "/m x",
        mountPoint: "/mnt\\",
        options: ["rw", "noatime"],
        propagation: ["master:1", "shared:2"],
        type: "ext3",
        source: "/dev/root",
        superOptions: ["rw", "errors=continue"],
      },
    ]);
  });

  test("refuses other lines and never throws anything but SystemError", () => {
    expect(() => parseMountInfo("36 35 98:0 /\n")).toThrow(SystemError);
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii" }), (text) => {
        try {
          parseMountInfo(text);
        } catch (error) {
          expect(error).toBeInstanceOf(SystemError);
        }
      }),
    );
  });
});

describe("mountByOptions()", () => {
  test("takes the words of mount(8), whatever else objects have by their names", () => {
    const target = join(base, "b");
    mountByOptions({ source: join(base, "a"), target, type: "none", options: "bind,ro,rslave" });
    expect(mountsBelow(target)[0]?.options).toContain("ro");
    for (const word of ["constructor", "toString", "__proto__"])
      expect(() => mountByOptions({ source: "x", target: join(base, "root"), type: "tmpfs", options: word })).toThrow(
        "(EINVAL)",
      );
  });

  test("leaves nothing mounted when a part of it fails", () => {
    const target = join(base, "b");
    // A bind that is to be read-only and unbindable, of which the second word is no flag that a remount takes.
    mountByOptions({ source: join(base, "a"), target, type: "none", options: "bind,unbindable" });
    expect(() =>
      mountByOptions({ source: target, target: join(base, "root"), type: "none", options: "bind,ro" }),
    ).toThrow("EINVAL");
    expect(mountsBelow(join(base, "root"))).toEqual([]);
  });
});
