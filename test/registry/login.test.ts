import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Finished, run } from "../../tools/harness/child.ts";
import { BERTH, PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";

/** User berth, password secret. */
const HTPASSWD = "berth:$2y$05$Pu7xNVbJsa2xlHAHm172Z.33q1YaPC3MDch1lLgaM.mi2nylhmjz6\n";

let engine: PrivateEngine;
let registry: PrivateRegistry;
let config: string;

beforeAll(async () => {
  registry = await PrivateRegistry.start({ htpasswd: HTPASSWD });
  engine = await PrivateEngine.start();
  config = join(engine.directory, "config");
}, 120_000);

afterAll(async () => {
  await engine.close();
  await registry.close();
}, 120_000);

const configFile = (): string => join(config, "config.json");
const berth = (args: readonly string[], input?: string): Promise<Finished> =>
  engine.berth(args, {
    env: { DOCKER_CONFIG: config, PATH: `${config}:${process.env["PATH"]}`, HELPER: config },
    ...(input === undefined ? {} : { input }),
  });
const login = (password = "secret"): Promise<Finished> =>
  berth(["login", "-u", "berth", "--password-stdin", registry.host], password);

function configure(content: object): void {
  rmSync(config, { recursive: true, force: true });
  mkdirSync(config, { recursive: true });
  writeFileSync(configFile(), JSON.stringify(content));
}

describe("berth login", () => {
  test("keeps what the registry takes, says where, and logout forgets it", async () => {
    configure({});
    const refused = await login("wrong");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(
      `login attempt to http://${registry.host}/v2/ failed with status: 401 Unauthorized`,
    );
    expect(refused.stderr).not.toContain("wrong");
    const taken = await login();
    expect([taken.exitCode, taken.stdout]).toEqual([0, "Login Succeeded\n"]);
    expect(taken.stderr).toBe(
      `\nWARNING! Your credentials are stored unencrypted in '${configFile()}'.\n` +
        "Configure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n\n",
    );
    const auth = Buffer.from("berth:secret").toString("base64");
    expect(JSON.parse(readFileSync(configFile(), "utf8"))).toEqual({ auths: { [registry.host]: { auth } } });
    const again = await berth(["login", registry.host], "");
    expect(again.stdout).toBe("Login Succeeded\n");
    expect(again.stderr).toContain("Authenticating with existing credentials... [Username: berth]");
    const gone = await berth(["logout", registry.host]);
    expect(gone.stdout).toBe(`Removing login credentials for ${registry.host}\n`);
    expect(JSON.parse(readFileSync(configFile(), "utf8"))).toEqual({ auths: {} });
  });

  test.each([
    [["--password-stdin"], "the --password-stdin option requires --username to be set"],
    [["-p", "a", "--password-stdin"], "conflicting options: cannot specify both --password and --password-stdin"],
    [[], "Error: Cannot perform an interactive login from a non TTY device"],
  ])("refuses %p", async (flags, message) => {
    configure({});
    const { exitCode, stderr } = await berth(["login", ...flags, registry.host], "");
    expect([exitCode, stderr.trim().split("\n").at(-1)]).toEqual([1, message]);
  });

  test("asks at a terminal, and shows no password", async () => {
    configure({});
    const command = `${BERTH} login ${registry.host}`;
    const env = { BERTH_HOST: `unix://${engine.socket}`, DOCKER_CONFIG: config };
    const typed =
      "(until [ -s typescript ]; do sleep 0.05; done; printf 'berth\\r'; until grep -q Password typescript; do sleep 0.05; done; printf 'secret\\r'; until grep -q Succeeded typescript; do sleep 0.05; done)";
    const shell = `${typed} | script -qefc "${command}" typescript`;
    const { stdout } = await run("sh", ["-c", shell], { cwd: config, env, timeout: 60_000 });
    expect(stdout).toMatch(/^Username: berth\r\nPassword: \r\n/);
    expect(stdout).toContain("Login Succeeded");
    expect(stdout).not.toContain("secret");
  });

  test("gives the password to a helper, gets it back for push and pull, and writes no secret", async () => {
    configure({ credHelpers: { [registry.host]: "file" } });
    const helper = join(config, "docker-credential-file");
    writeFileSync(
      helper,
      `#!/bin/sh
case $1 in
  store) cat > "$HELPER/kept" ;;
  get) [ -e "$HELPER/kept" ] && cat "$HELPER/kept" || { echo "credentials not found in native keychain"; exit 1; } ;;
  erase) rm -f "$HELPER/kept" ;;
esac
`,
    );
    chmodSync(helper, 0o755);
    const stored = await login();
    expect([stored.stdout, stored.stderr]).toEqual(["Login Succeeded\n", ""]);
    expect(readFileSync(configFile(), "utf8")).not.toContain(Buffer.from("berth:secret").toString("base64"));
    expect(JSON.parse(readFileSync(join(config, "kept"), "utf8"))).toEqual({
      ServerURL: registry.host,
      Username: "berth",
      Secret: "secret",
    });
    const name = `${registry.host}/private/app`;
    const root = join(engine.directory, "root.tar");
    await Bun.write(root, new Uint8Array(1024));
    await engine.ok(["import", root, name]);
    expect((await berth(["push", "-q", name])).exitCode).toBe(0);
    await engine.ok(["rmi", name]);
    const anonymous = await engine.berth(["pull", name], { env: { DOCKER_CONFIG: join(config, "none") } });
    expect(anonymous.stderr).toContain("no basic auth credentials");
    expect((await berth(["pull", "-q", name])).exitCode).toBe(0);
    expect((await berth(["logout", registry.host])).exitCode).toBe(0);
    expect(existsSync(join(config, "kept"))).toBe(false);
    const events = await engine.ok(["events", "--since", "1h", "--until", "0s", "--format", "json"]);
    expect(events + engine.log()).not.toContain("secret");
  });
});

describe("berth login with a token server", () => {
  let server: Server;
  const seen: { readonly url: string; readonly body: string; readonly authorization: string | undefined }[] = [];
  let host: string;

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const body = await bodyOf(request);
      const { url = "", headers } = request;
      seen.push({ url, body, authorization: headers.authorization });
      if (url === "/v2/" && headers.authorization === "Bearer access") response.end("{}");
      else if (url === "/v2/") {
        const challenge = `Bearer realm="http://${host}/token",service="registry"`;
        response.writeHead(401, { "www-authenticate": challenge }).end();
      } else if (url.startsWith("/token")) {
        response.end(JSON.stringify({ token: "access", refresh_token: "refresh", expires_in: 300 }));
      } else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test("keeps the identity token in place of the password, and presents it from then on", async () => {
    configure({});
    const { stdout, stderr } = await berth(["login", "-u", "me", "--password-stdin", host], "pass");
    expect([stdout, stderr]).toEqual(["Login Succeeded\n", ""]);
    expect(JSON.parse(readFileSync(configFile(), "utf8"))).toEqual({
      auths: { [host]: { auth: Buffer.from("me:").toString("base64"), identitytoken: "refresh" } },
    });
    expect(seen.some(({ url }) => url.includes("offline_token=true"))).toBe(true);
    await berth(["pull", `${host}/x`]);
    const refreshed = seen.find(({ url, body }) => url === "/token" && body.includes("grant_type=refresh_token"));
    expect(refreshed?.body).toContain("refresh_token=refresh");
  });
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}
