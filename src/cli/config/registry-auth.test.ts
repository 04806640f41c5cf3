import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CredentialSource, registryAuthHeader, registryConfigHeader, registryKey } from "./registry-auth.ts";
import { eraseCredentials, storeCredentials } from "./store-credentials.ts";

let directory = "";
let source: CredentialSource = { configDirectory: "", environment: {} };

/** A helper that knows one registry and writes down what it is told. */
const HELPER = `#!/bin/sh
read -r input
case "$1:$input" in
  get:helped.example) echo '{"ServerURL":"helped.example","Username":"u","Secret":"s"}' ;;
  get:token.example) echo '{"ServerURL":"token.example","Username":"<token>","Secret":"t"}' ;;
  get:*) echo "credentials not found in native keychain"; exit 1 ;;
  *) echo "$1 $input" >> "$HELPER_LOG" ;;
esac
`;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "berth-registry-auth-"));
  await writeFile(join(directory, "docker-credential-fake"), HELPER);
  await chmod(join(directory, "docker-credential-fake"), 0o755);
  source = {
    configDirectory: directory,
    environment: { PATH: `${directory}:${process.env["PATH"]}`, HELPER_LOG: join(directory, "log") },
  };
});
afterAll(() => rm(directory, { recursive: true }));

function configure(config: unknown): Promise<void> {
  return writeFile(join(directory, "config.json"), JSON.stringify(config));
}

function decode(header: string | undefined): unknown {
  return header === undefined ? undefined : JSON.parse(Buffer.from(header, "base64url").toString());
}

const AUTH = Buffer.from("user:pa:ss").toString("base64");

describe("registryAuthHeader()", () => {
  test("reads the entry of a registry", async () => {
    await configure({ auths: { "localhost:5000": { auth: AUTH } } });
    expect(decode(await registryAuthHeader("localhost:5000", source))).toEqual({
      username: "user",
      password: "pa:ss",
      serveraddress: "localhost:5000",
    });
    expect(await registryAuthHeader("other", source)).toBeUndefined();
  });

  test("finds Docker Hub under its old key, and registries under whole URLs", async () => {
    await configure({
      auths: { "https://index.docker.io/v1/": { auth: AUTH }, "https://quay.io/v1/": { identitytoken: "t" } },
    });
    expect(decode(await registryAuthHeader("docker.io", source))).toMatchObject({ username: "user" });
    expect(decode(await registryAuthHeader("quay.io", source))).toEqual({
      identitytoken: "t",
      serveraddress: "quay.io",
    });
  });

  test("asks the helper of one registry, or of all", async () => {
    await configure({ credHelpers: { "helped.example": "fake" } });
    expect(decode(await registryAuthHeader("helped.example", source))).toMatchObject({ username: "u", password: "s" });
    await configure({ credsStore: "fake" });
    expect(decode(await registryAuthHeader("token.example", source))).toMatchObject({ identitytoken: "t" });
    expect(await registryAuthHeader("unknown.example", source)).toBeUndefined();
  });

  test("says which helper is missing, and goes on without", async () => {
    await configure({ credsStore: "nope" });
    const warnings: string[] = [];
    const write = async (text: string | Uint8Array): Promise<void> => void warnings.push(String(text));
    const stderr = { isTerminal: false, write };
    expect(await registryAuthHeader("x", { ...source, streams: { stderr } })).toBeUndefined();
    expect(warnings.join("")).toContain(
      'error getting credentials - err: exec: "docker-credential-nope": executable file not found in $PATH',
    );
  });

  test("prefers DOCKER_AUTH_CONFIG", async () => {
    await configure({});
    const environment = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { r: { auth: AUTH } } }) };
    expect(decode(await registryAuthHeader("r", { ...source, environment }))).toMatchObject({ username: "user" });
  });

  test("goes on without a file, or an entry, that cannot be read", async () => {
    await writeFile(join(directory, "config.json"), "{");
    expect(await registryAuthHeader("x", source)).toBeUndefined();
    await configure({ auths: { x: { auth: "!!!" }, y: { auth: AUTH } } });
    expect(await registryAuthHeader("x", source)).toBeUndefined();
    expect(decode(await registryAuthHeader("y", source))).toMatchObject({ username: "user" });
  });
});

describe("registryConfigHeader()", () => {
  test("gathers the credentials of all registries", async () => {
    await configure({ auths: { a: { auth: AUTH }, empty: {} }, credHelpers: { "helped.example": "fake" } });
    expect(Object.keys(decode(await registryConfigHeader(source)) as object)).toEqual(["a", "helped.example"]);
  });
});

describe("storeCredentials()", () => {
  const credentials = { username: "user", password: "pa:ss", serveraddress: "r" };

  test("keeps what else is in the file, and lets nobody else read it", async () => {
    await configure({ psFormat: "x", auths: { a: {} } });
    expect(await storeCredentials("r", credentials, source)).toBe(true);
    expect(await storeCredentials("r", credentials, source)).toBe(false);
    const path = join(directory, "config.json");
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ psFormat: "x", auths: { a: {}, r: { auth: AUTH } } });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await eraseCredentials("r", source);
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ psFormat: "x", auths: { a: {} } });
  });

  test("gives them to the helper and writes no secret", async () => {
    await configure({ credsStore: "fake" });
    expect(await storeCredentials("r", credentials, source)).toBe(false);
    expect(JSON.parse(await readFile(join(directory, "config.json"), "utf8"))).toEqual({
      credsStore: "fake",
      auths: { r: {} },
    });
    expect(await readFile(join(directory, "log"), "utf8")).toBe(
      'store {"ServerURL":"r","Username":"user","Secret":"pa:ss"}\n',
    );
  });
});

describe("registryKey()", () => {
  test("names Docker Hub by its old address", () =>
    expect(registryKey("docker.io")).toBe("https://index.docker.io/v1/"));
});

describe("config.json", () => {
  test("that is no JSON is not written over", async () => {
    await writeFile(join(directory, "config.json"), "{ x");
    const failed = storeCredentials("r", { username: "u", password: "p", serveraddress: "r" }, source);
    await expect(failed).rejects.toThrow(
      `loading config file: ${join(directory, "config.json")}: invalid character 'x' looking for beginning of object key string`,
    );
    expect(await readFile(join(directory, "config.json"), "utf8")).toBe("{ x");
  });

  test("keeps what only docker knows when credentials are stored in it", async () => {
    await configure({ currentContext: "other", auths: { old: { auth: AUTH, email: "me@example.com" } } });
    await storeCredentials("new", { username: "user", password: "pa:ss", serveraddress: "new" }, source);
    expect(JSON.parse(await readFile(join(directory, "config.json"), "utf8"))).toEqual({
      currentContext: "other",
      auths: { old: { auth: AUTH, email: "me@example.com" }, new: { auth: AUTH } },
    });
  });
});
