import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeviceCatalog } from "./device-catalog.ts";

let root: string;
let catalog: DeviceCatalog;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "berth-cdi-"));
  catalog = new DeviceCatalog([join(root, "static"), join(root, "dynamic")]);
  for (const name of ["static", "dynamic"]) mkdirSync(join(root, name), { mode: 0o755 });
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, value: string, edits: object = { env: [`VALUE=${value}`] }, more: object = {}): string {
  const spec = { cdiVersion: "1.1.0", kind: "v.com/c", devices: [{ name: "d", containerEdits: edits }], ...more };
  writeFileSync(join(root, path), JSON.stringify(spec), { mode: 0o644 });
  return join(root, path);
}

const values = (): readonly string[] | undefined => catalog.edits(["v.com/c=d"]).env;

describe("DeviceCatalog", () => {
  test("lets a later directory override, and reads anew each time", () => {
    write("static/a.json", "static");
    expect(values()).toEqual(["VALUE=static"]);
    write("dynamic/z.yaml", "dynamic");
    expect(values()).toEqual(["VALUE=dynamic"]);
    rmSync(join(root, "dynamic"), { recursive: true });
    expect(values()).toEqual(["VALUE=static"]);
    expect(catalog.problems()).toEqual([]);
  });

  test("takes a device from two files of one directory that both name it", () => {
    write("static/a.json", "a");
    write("static/b.json", "b");
    const [, message] = /(conflicting device "v.com\/c=d" \(specs ".*b.json", ".*a.json"\))/.exec(failure()) ?? [];
    expect(message).toBeDefined();
    expect(catalog.list()).toEqual([]);
  });

  test("makes a file's edits once, before those of its devices", () => {
    const device = (name: string): object => ({ name, containerEdits: { env: [`${name}=1`] } });
    write("static/a.json", "", {}, { containerEdits: { env: ["FILE=1"] }, devices: [device("x"), device("y")] });
    expect(catalog.edits(["v.com/c=y", "v.com/c=x", "v.com/c=y"]).env).toEqual(["FILE=1", "y=1", "x=1"]);
  });

  test("does not use what somebody else than root could have written", () => {
    const path = write("static/a.json", "a");
    chmodSync(path, 0o664);
    expect(failure()).toContain(
      `failed to load CDI Spec "${path}": its mode 0664 lets others than its owner write to it`,
    );
    chmodSync(path, 0o644);
    chownSync(path, 1000, 0);
    expect(failure()).toContain("it belongs to uid 1000, not to root");
    chownSync(path, 0, 0);
    chmodSync(join(root, "static"), 0o1777);
    expect(failure()).toContain(`the CDI Specs in "${join(root, "static")}" are not used: its mode 1777 lets`);
    chmodSync(join(root, "static"), 0o755);
    expect(values()).toEqual(["VALUE=a"]);
  });

  test("follows a link to a trusted file, and waits for nothing", () => {
    write("elsewhere", "linked");
    symlinkSync(join(root, "elsewhere"), join(root, "static/link.json"));
    Bun.spawnSync(["mkfifo", join(root, "static/pipe.json")]);
    expect(values()).toEqual(["VALUE=linked"]);
    expect(catalog.problems().map(({ message }) => message)).toEqual([
      `failed to load CDI Spec "${join(root, "static/pipe.json")}": it is not a regular file`,
    ]);
  });

  test("refuses edits that Berth cannot make, by name", () => {
    write("static/a.json", "", { intelRdt: { closID: "x" } });
    expect(failure()).toMatch(
      /^CDI device injection failed: v.com\/c=d needs intelRdt \(.*a.json\), which this engine/,
    );
    write("static/a.json", "", { netDevices: [{ hostInterfaceName: "a", name: "b" }] });
    expect(failure()).toContain("needs netDevices");
  });

  test("says dockerd's words for a name that no file has", () => {
    expect(() => catalog.edits(["v.com/c=d", "x.com/y=z"])).toThrow(
      "CDI device injection failed: unresolvable CDI devices v.com/c=d, x.com/y=z",
    );
  });
});

function failure(): string {
  try {
    values();
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
  return "";
}
