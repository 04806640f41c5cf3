import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BundleFiles } from "../bundle-files.ts";
import { BundleRuntimes } from "./bundle-runtimes.ts";
import { RuntimeCatalog, type RuntimeSettings } from "./catalog.ts";

let directory: string;
let settings: RuntimeSettings;
let catalog: RuntimeCatalog;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-runtimes-"));
  settings = { defaultName: "", added: new Map() };
  catalog = new RuntimeCatalog(() => settings);
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A program that says of itself what `lines` say. */
function program(name: string, ...lines: readonly string[]): string {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\n${lines.map((line) => `echo '${line}'`).join("\n")}\n`);
  chmodSync(path, 0o755);
  return path;
}

function add(name: string, path: string): void {
  settings = { defaultName: name, added: new Map([...settings.added, [name, { path, args: [] }]]) };
}

describe("RuntimeCatalog", () => {
  test("find() asks a program what it is, also one that is around another", async () => {
    add("nvidia", program("nvidia", "NVIDIA Container Runtime version 1.17.0", "commit: 1", "", "runc version 1.2.3"));
    expect(await catalog.find("nvidia")).toMatchObject({ name: "nvidia", kind: "runc", version: "1.2.3" });
    expect(catalog.defaultProgram?.name).toBe("nvidia");
    settings = { ...settings, defaultName: "runc" };
    expect(catalog.defaultProgram).toBeUndefined();
  });

  test("find() asks again after a failure, and when the same name means another program", async () => {
    add("late", join(directory, "late"));
    await expect(catalog.find("")).rejects.toMatchObject({ exitCode: 127 });
    program("late", "crun version 1.9");
    expect(await catalog.find("")).toMatchObject({ kind: "crun", version: "1.9" });
    add("late", program("later", "runc version 1.3"));
    expect(await catalog.find("late")).toMatchObject({ kind: "runc", version: "1.3" });
    add("relative", "berth-no-such-program");
    await expect(catalog.find("relative")).rejects.toThrow("executable file not found in $PATH");
  });

  test.each(["nope", "constructor", "__proto__"])("command() refuses %j in Docker's words", (name) => {
    expect(() => catalog.command(name)).toThrow(`unknown or invalid runtime name: ${name}`);
  });
});

describe("BundleRuntimes", () => {
  const id = "a".repeat(64);
  const bundle = (): BundleFiles => {
    const files = new BundleFiles(join(directory, "bundles"), id);
    mkdirSync(files.directory, { recursive: true });
    return files;
  };
  const runtimes = (): BundleRuntimes => new BundleRuntimes(catalog, join(directory, "state"));

  test("of() is what assign() was given, whatever the settings are by then", async () => {
    add("mine", program("mine", "runc version 1.2.0"));
    const { root } = runtimes().assign(await catalog.find("mine"), bundle());
    settings = { defaultName: "", added: new Map() };
    const found = await runtimes().of(bundle());
    expect(found).toMatchObject({ root, program: { name: "mine", path: join(directory, "mine"), version: "1.2.0" } });
  });

  test.each(["..", ".", "a/../../b", "\ud800"])("assign() keeps the state of %j in a root of its own", async (name) => {
    const own = { ...(await catalog.find("")), name };
    const { root } = runtimes().assign(own, bundle());
    expect(readdirSync(join(directory, "state", "roots")).length).toBe(1);
    expect(join(root, "..")).toBe(join(directory, "state", "roots"));
  });

  test("of() takes containers of the first engines for the default runtime's, and knows none where none was started", async () => {
    expect(await runtimes().of(bundle())).toBeUndefined();
    writeFileSync(bundle().runtime, '{"name":"half');
    expect(await runtimes().of(bundle())).toBeUndefined();
    mkdirSync(join(directory, "state", "runtime", id));
    expect((await runtimes().of(bundle()))?.root).toBe(join(directory, "state", "runtime"));
    expect(runtimes().ids()).toEqual([id]);
    runtimes().forget(id);
    expect(runtimes().ids()).toEqual([]);
  });
});
