import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_SOCKET } from "#client/connection/endpoint.ts";
import { type FakeContext, fakeContext } from "../testing/fake-context.ts";
import { runWords } from "../testing/run-words.ts";
import { endpointOf, selectContext } from "./context-selection.ts";
import { ContextStore } from "./context-store.ts";

let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "berth-contexts-"));
});
afterAll(() => rm(directory, { recursive: true }));

const inDirectory = (): FakeContext => fakeContext({ configDirectory: directory });

/** sha256 of "aa", by which docker finds the context. */
const AA = "961b6dd3ede3cb8ecbaacbd68de040cd78eb2ed5889130cceb4c49268ea4d506";

describe("context create, use, export, import, update and rm", () => {
  test("create writes docker's file, byte for byte", async () => {
    const context = inDirectory();
    await runWords(context, "context", "create", "aa", "--docker", "host=unix:///tmp/a.sock", "--description", "d");
    expect(context.out()).toBe("aa\n");
    expect(context.err()).toBe('Successfully created context "aa"\n');
    expect(await readFile(join(directory, "contexts", "meta", AA, "meta.json"), "utf8")).toBe(
      '{"Name":"aa","Metadata":{"Description":"d"},"Endpoints":{"docker":{"Host":"unix:///tmp/a.sock","SkipTLSVerify":false}}}',
    );
  });

  const refusals: readonly (readonly [readonly string[], string])[] = [
    [["create", "aa"], 'context "aa" already exists'],
    [["create", "default"], '"default" is a reserved context name'],
    [["create", "../x"], 'context name "../x" is invalid, names are validated against regexp'],
    [["create", "bb", "--docker", "nope=1"], "unable to create docker endpoint config: unrecognized config key: nope"],
    [["create", "bb", "--docker", "ca=/nope"], "open /nope: no such file or directory"],
    [["create", "bb", "--from", "aa", "--docker", "host=x"], "cannot use --docker flag when --from is set"],
    [["create", "bb", "--from", "nope"], 'context "nope": context not found: open'],
    [["use", "nope"], 'context "nope": context not found: open'],
    [["rm", "default"], 'context "default" cannot be removed'],
    [["rm", "nope"], 'context "nope" does not exist'],
    [["update", "default"], '"default" is a reserved context name'],
    [["import", "aa", "/dev/null"], 'context "aa" already exists'],
    [["import", "bb", "/dev/null"], "invalid context: no metadata found"],
  ];
  for (const [words, message] of refusals) {
    test(`refuses ${words.join(" ")}`, async () => {
      const failure = await runWords(inDirectory(), "context", ...words).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Error);
      expect(String(failure)).toContain(message);
      expect(new ContextStore(directory).has("bb")).toBe(false);
    });
  }

  test("use changes currentContext and leaves the rest of config.json alone", async () => {
    const path = join(directory, "config.json");
    await writeFile(path, JSON.stringify({ auths: { r: {} }, other: { a: 1 } }));
    await runWords(inDirectory(), "context", "use", "aa");
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({
      auths: { r: {} },
      other: { a: 1 },
      currentContext: "aa",
    });
    await runWords(inDirectory(), "context", "use", "default");
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ auths: { r: {} }, other: { a: 1 } });
  });

  test("keys stay readable by their owner only, through export and import", async () => {
    const key = join(directory, "key.pem");
    await writeFile(key, "secret");
    await runWords(inDirectory(), "context", "create", "tls", "--docker", `host=unix:///x,key=${key}`);
    const archive = join(directory, "tls.tar");
    await runWords(inDirectory(), "context", "export", "tls", archive);
    expect((await stat(archive)).mode & 0o777).toBe(0o600);
    await runWords(inDirectory(), "context", "import", "copy", archive);
    const store = new ContextStore(directory);
    expect(store.tlsFiles("copy")).toEqual({ docker: ["key.pem"] });
    expect((await stat(join(store.tlsDirectory("copy"), "docker", "key.pem"))).mode & 0o777).toBe(0o600);
    expect(store.read("copy").Endpoints).toEqual(store.read("tls").Endpoints);
  });

  test("ls marks the one in use, also one that is not there", async () => {
    const context = { ...inDirectory(), selection: { ...inDirectory().selection, name: "gone" } };
    await runWords(context, "context", "ls");
    const lines = context.out().split("\n");
    expect(lines[0]).toMatch(/^NAME +DESCRIPTION +DOCKER ENDPOINT +ERROR$/);
    expect(lines.find((line) => line.startsWith("gone *"))).toContain('context "gone": context not found: open');
    expect(lines.find((line) => line.startsWith("aa "))).toContain("unix:///tmp/a.sock");
  });

  test("rm of the one in use wants -f", async () => {
    const context = { ...inDirectory(), selection: { ...inDirectory().selection, name: "aa" } };
    await expect(runWords(context, "context", "rm", "aa")).rejects.toThrow(
      'context "aa" is in use, set -f flag to force remove',
    );
    await runWords(context, "context", "rm", "-f", "aa");
    expect(new ContextStore(directory).has("aa")).toBe(false);
  });
});

describe("selectContext() and endpointOf()", () => {
  const select = (
    flags: { readonly context?: string; readonly host?: readonly string[] },
    environment: Readonly<Record<string, string>>,
    current?: string,
  ): ReturnType<typeof selectContext> =>
    selectContext({
      flags: { context: flags.context ?? "", host: flags.host ?? [] },
      environment,
      currentContext: () => current,
    });

  test("-c and -H go before the variables, BERTH_HOST before DOCKER_HOST, DOCKER_CONTEXT before the current context", () => {
    const environment = { BERTH_HOST: "unix:///b", DOCKER_HOST: "unix:///d", DOCKER_CONTEXT: "v" };
    expect(select({ context: "c" }, environment).name).toBe("c");
    expect(select({ host: ["unix:///h"] }, environment)).toMatchObject({ name: "default", defaultHost: "unix:///h" });
    expect(select({}, environment)).toMatchObject({ defaultHost: "unix:///b", overriding: "BERTH_HOST" });
    expect(select({}, { DOCKER_HOST: "unix:///d" }, "current")).toMatchObject({
      name: "default",
      defaultHost: "unix:///d",
    });
    expect(select({}, { DOCKER_CONTEXT: "v" }, "current").name).toBe("v");
    expect(select({}, {}, "current").name).toBe("current");
    expect(select({}, {}).name).toBe("default");
    expect(() => select({ context: "c", host: ["unix:///h"] }, {})).toThrow("cannot specify both --host and --context");
  });

  test("only the default socket may be started on demand", () => {
    const resolve = (selection: ReturnType<typeof selectContext>, host: readonly string[] = []): unknown =>
      endpointOf(selection, { host }, directory, () => undefined);
    expect(resolve(select({}, {}))).toEqual({ kind: "unix", path: DEFAULT_SOCKET, isDefault: true });
    expect(resolve(select({}, { DOCKER_HOST: "unix:///d" }))).toMatchObject({ path: "/d", isDefault: false });
    expect(() => resolve(select({ context: "nope" }, {}))).toThrow(
      'Failed to initialize: unable to resolve docker endpoint: context "nope": context not found: open',
    );
  });
});
