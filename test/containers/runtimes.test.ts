import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { until } from "../../tools/harness/until.ts";

let directory: string;
let engine: PrivateEngine;

const file = (name: string): string => join(directory, name);

/** A program around the machine's runtime that notes how it was called. */
function wrapper(name: string): string {
  const script = `#!/bin/sh\necho "$*" >> ${file(`${name}.calls`)}\nexec "$(command -v runc || command -v crun)" "$@"\n`;
  writeFileSync(file(name), script);
  chmodSync(file(name), 0o755);
  return file(name);
}

function calls(name: string): string {
  return existsSync(file(`${name}.calls`)) ? readFileSync(file(`${name}.calls`), "utf8") : "";
}

/** Writes daemon.json and has the engine read it again. */
async function reload(options: object): Promise<void> {
  const reloads = (): number => engine.log().split("Reloaded configuration").length;
  const before = reloads();
  writeFileSync(file("daemon.json"), JSON.stringify(options));
  process.kill(engine.pid, "SIGHUP");
  await until(() => reloads() > before);
}

const inspect = (name: string, template: string): Promise<string> => engine.ok(["inspect", "-f", template, name]);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "berth-runtimes-"));
  const runtimes = {
    wrapped: { path: wrapper("wrapped"), runtimeArgs: ["--debug"] },
    "odd/../name": { path: "runc" },
    gone: { path: "/nonexistent/runc" },
    none: { path: "/bin/true" },
  };
  writeFileSync(file("daemon.json"), JSON.stringify({ runtimes }));
  const daemonArgs = ["--config-file", file("daemon.json"), "--add-runtime", `flag=${wrapper("flag")}`];
  engine = await PrivateEngine.start({ daemonArgs });
  await makeBusybox(engine);
}, 120_000);

afterAll(async () => {
  await engine.close();
  rmSync(directory, { recursive: true });
}, 120_000);

describe("a runtime by its name", () => {
  test("is listed, runs containers with its arguments, and is kept by them", async () => {
    const listed = "{{range $name, $runtime := .Runtimes}}{{$name}} {{end}}";
    const names = ["flag", "gone", "io.containerd.runc.v2", "none", "odd/../name", "runc", "wrapped"];
    expect(
      (await engine.ok(["info", "-f", listed]))
        .trim()
        .split(" ")
        .filter((name) => name !== "crun"),
    ).toEqual(names);
    expect(await engine.ok(["info", "-f", '{{json (index .Runtimes "wrapped")}}'])).toBe(
      JSON.stringify({ path: file("wrapped"), runtimeArgs: ["--debug"] }),
    );
    await engine.ok(["run", "-d", "--name", "kept", "--runtime", "wrapped", "busybox", "sleep", "1000"]);
    expect(calls("wrapped")).toMatch(/^--debug --root \S+\/roots\/wrapped .*create --bundle/m);
    expect(await inspect("kept", "{{.HostConfig.Runtime}}")).toBe("wrapped");
    expect(await engine.ok(["exec", "kept", "echo", "through"])).toBe("through");
    expect(calls("wrapped")).toMatch(/^--debug --root \S+\/roots\/wrapped .*exec --process/m);
    await engine.ok(["update", "--cpu-shares", "300", "kept"]);
    for (const verb of ["pause", "unpause"]) await engine.ok([verb, "kept"]);
    await engine.ok(["restart", "-t", "0", "kept"]);
    expect(await inspect("kept", "{{.State.Status}}")).toBe("running");
  }, 120_000);

  test("may be added by a flag, and be called anything", async () => {
    expect(await engine.ok(["run", "--rm", "--runtime", "flag", "busybox", "echo", "by flag"])).toBe("by flag");
    expect(calls("flag")).toContain("create --bundle");
    expect(await engine.ok(["run", "--rm", "--runtime", "odd/../name", "busybox", "echo", "odd"])).toBe("odd");
    expect(readdirSync(join(engine.execRoot, "runtime", "roots"))).toContain("odd%2F..%2Fname");
    for (const name of ["runc", "io.containerd.runc.v2"])
      expect(await engine.ok(["run", "--rm", "--runtime", name, "busybox", "echo", "stock"])).toBe("stock");
  }, 120_000);

  test("is refused in Docker's words when there is none, or no program", async () => {
    for (const name of ["nope", "constructor"])
      expect(await engine.berth(["run", "--rm", "--runtime", name, "busybox", "true"])).toMatchObject({
        exitCode: 125,
        stderr: expect.stringContaining(`unknown or invalid runtime name: ${name}`),
      });
    expect(await engine.berth(["run", "--rm", "--runtime", "gone", "busybox", "true"])).toMatchObject({
      exitCode: 127,
      stderr: expect.stringContaining(`exec: "/nonexistent/runc": stat /nonexistent/runc: no such file or directory`),
    });
    expect(await engine.berth(["run", "--rm", "--runtime", "none", "busybox", "true"])).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining("/bin/true: its --version names neither runc nor crun"),
    });
    expect(await engine.ok(["ps", "-aq", "--filter", "status=created"])).toBe("");
  }, 120_000);
});

describe("a reload", () => {
  test("changes names and default; who runs keeps what it has, and cannot start again without", async () => {
    await engine.ok(["create", "--name", "first", "busybox", "true"]);
    const first = await inspect("first", "{{.HostConfig.Runtime}}");
    await reload({ runtimes: { other: { path: wrapper("other") } }, "default-runtime": "other" });
    expect(await engine.ok(["info", "-f", "{{.DefaultRuntime}}"])).toBe("other");
    const event = await engine.ok(["events", "--since", "1h", "--until", "0s", "--filter", "event=reload"]);
    expect(event).toContain("default-runtime=other");
    expect(event).toContain(`runtimes=other:${file("other")} flag:${file("flag")}`);
    // Who had the default, had it by name.
    expect(await inspect("first", "{{.HostConfig.Runtime}}")).toBe(first);
    expect(await engine.ok(["run", "--rm", "busybox", "echo", "new"])).toBe("new");
    expect(calls("other")).toContain("create --bundle");
    expect(await engine.ok(["exec", "kept", "echo", "still"])).toBe("still");
    await engine.ok(["stop", "-t", "0", "kept"]);
    expect(await engine.berth(["start", "kept"])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("unknown or invalid runtime name: wrapped"),
    });
    expect(await inspect("kept", "{{.State.Status}}")).toBe("exited");
    await reload({ runtimes: { wrapped: { path: file("wrapped") } } });
    await engine.ok(["start", "kept"]);
  }, 120_000);

  test("is refused, and changes nothing, when its default does not exist", async () => {
    writeFileSync(file("daemon.json"), JSON.stringify({ "default-runtime": "zz" }));
    process.kill(engine.pid, "SIGHUP");
    await until(async () => engine.log().includes("specified default runtime 'zz' does not exist"));
    expect(await engine.ok(["run", "--rm", "--runtime", "wrapped", "busybox", "echo", "same"])).toBe("same");
  }, 120_000);
});

test("a container is adopted with its runtime by an engine that does not know it any more", async () => {
  await engine.crash();
  writeFileSync(file("daemon.json"), "{}");
  await engine.start();
  expect(await inspect("kept", "{{.State.Status}} {{.HostConfig.Runtime}}")).toBe("running wrapped");
  expect(await engine.ok(["exec", "kept", "echo", "adopted"])).toBe("adopted");
  const before = calls("wrapped").length;
  await engine.ok(["update", "--cpu-shares", "400", "kept"]);
  expect(calls("wrapped").slice(before)).toContain("update --resources");
  await engine.ok(["rm", "-f", "kept"]);
  const roots = join(engine.execRoot, "runtime", "roots");
  expect(readdirSync(roots).flatMap((name) => readdirSync(join(roots, name)))).toEqual([]);
}, 120_000);

test("builds have the default runtime", async () => {
  await reload({ "default-runtime": "flag" });
  const before = calls("flag").length;
  writeFileSync(file("Dockerfile"), "FROM busybox\nRUN echo built > /made\n");
  await engine.ok(["build", "-q", "-t", "built", "-f", file("Dockerfile"), directory]);
  expect(calls("flag").slice(before)).toMatch(/--root \S+\/roots\/flag .*run --bundle/);
  expect(await engine.ok(["run", "--rm", "built", "cat", "/made"])).toBe("built");
}, 120_000);
