/** `login` to Docker Hub in the browser: a tenant, a Hub and an engine of the test's own on loopback, and a terminal that `script` gives. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../tools/harness/child.ts";
import { BERTH } from "../../tools/harness/private-engine.ts";

const HUB_KEY = "https://index.docker.io/v1/";
const directory = mkdtempSync(join(tmpdir(), "berth-device-login-"));
const socket = join(directory, "engine.sock");
const claims = Buffer.from(JSON.stringify({ "https://hub.docker.com": { username: "moby" } })).toString("base64url");
const ACCESS = `e30.${claims}.c2ln`;

const servers: Server[] = [];
let hub = "";
/** What the servers were asked. */
let asked: string[] = [];
/** What the tenant says to the questions for tokens, the last one from then on. */
let answers: readonly (readonly [status: number, body: object])[] = [];

beforeAll(async () => {
  const tenant = await listen(async (request, response) => {
    const body = await bodyOf(request);
    asked.push(`${request.url} ${body || request.headers.authorization}`);
    const [status, answer] = answerTo(request.url ?? "");
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  }, 0);
  hub = `http://127.0.0.1:${(tenant.address() as AddressInfo).port}`;
  await listen(async (request, response) => {
    const body = await bodyOf(request);
    if (request.url?.endsWith("/auth")) asked.push(`/auth ${body}`);
    response.setHeader("Api-Version", "1.50").setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ Status: "Login Succeeded" }));
  }, socket);
});

afterAll(() => {
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
  rmSync(directory, { recursive: true });
});

function answerTo(url: string): readonly [status: number, body: object] {
  if (url === "/oauth/device/code") {
    const page = `${hub}/activate?user_code=ABCD-EFGH`;
    return [
      200,
      { device_code: "dev", user_code: "ABCD-EFGH", verification_uri_complete: page, expires_in: 30, interval: 0 },
    ];
  }
  if (url === "/v2/access-tokens/desktop-generate") return [201, { data: { token: "pat" } }];
  if (url === "/oauth/revoke") return [200, {}];
  const [first = [500, {}] as const, ...rest] = answers;
  if (rest.length > 0) answers = rest;
  return first;
}

async function listen(listener: RequestListener, where: number | string): Promise<Server> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) =>
    typeof where === "string" ? server.listen(where, resolve) : server.listen(where, "127.0.0.1", resolve),
  );
  return server;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

const environment = (more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
  BERTH_HOST: `unix://${socket}`,
  DOCKER_CONFIG: directory,
  BERTH_HUB_LOGIN: hub,
  BERTH_HUB: hub,
  ...more,
});

/** Runs `berth login ARGS` on a terminal where `typed` is typed. */
async function login(
  args = "",
  typed = "",
  more: Readonly<Record<string, string>> = {},
): Promise<{ code: number; text: string }> {
  asked = [];
  rmSync(join(directory, "config.json"), { force: true });
  const shell = `printf '${typed}' | script -qefc "${BERTH} login ${args}" /dev/null`;
  const { exitCode, stdout } = await run("sh", ["-c", shell], { env: environment(more), timeout: 60_000 });
  return { code: exitCode, text: stdout.replaceAll("\r\n", "\n") };
}

const config = (): unknown => JSON.parse(readFileSync(join(directory, "config.json"), "utf8"));
const basic = (password: string): object => ({ auth: Buffer.from(`moby:${password}`).toString("base64") });

describe("berth login to Docker Hub", () => {
  test("has the user confirm a code, keeps what that gives, and logout revokes it", async () => {
    answers = [
      [403, { error: "authorization_pending" }],
      [200, { access_token: ACCESS, refresh_token: "refresh" }],
    ];
    const { code, text } = await login("", "", { NO_COLOR: "1" });
    expect(text).toContain(
      [
        "",
        "USING WEB-BASED LOGIN",
        "",
        " Info -> To sign in with credentials on the command line, use 'docker login -u <username>'",
        "         ",
        "",
        "Your one-time device confirmation code is: ABCD-EFGH",
        `Press ENTER to open your browser or submit your device code here: ${hub}/activate`,
        "",
        "Waiting for authentication in the browser…",
        "",
      ].join("\n"),
    );
    expect(text.endsWith("Login Succeeded\n")).toBe(true);
    expect(code).toBe(0);
    expect(asked.at(-2)).toBe(`/v2/access-tokens/desktop-generate Bearer ${ACCESS}`);
    expect(asked.at(-1)).toBe(`/auth {"username":"moby","password":"pat","serveraddress":"${HUB_KEY}"}`);
    const owner = /client_id=(\w+)/.exec(asked[0] ?? "")?.[1];
    expect(config()).toEqual({
      auths: {
        [HUB_KEY]: basic("pat"),
        [`${HUB_KEY}access-token`]: basic(ACCESS),
        [`${HUB_KEY}refresh-token`]: basic(`refresh..${owner}`),
      },
    });

    asked = [];
    const gone = await run(BERTH, ["logout"], { env: environment() });
    expect([gone.exitCode, gone.stdout, gone.stderr]).toEqual([0, `Removing login credentials for ${HUB_KEY}\n`, ""]);
    expect(asked).toEqual([`/oauth/revoke client_id=${owner}&token=refresh`]);
    expect(config()).toEqual({ auths: {} });
  });

  test("tells when it was refused, and keeps nothing", async () => {
    answers = [[403, { error: "access_denied", error_description: "the user said no" }]];
    const { code, text } = await login();
    expect([code, text.split("\n").at(-2)]).toEqual([1, "failed waiting for authentication: the user said no"]);
    expect(() => config()).toThrow("ENOENT");
  });

  test("asks on the terminal when there is no way to the browser, or it is not wanted", async () => {
    const typed = "moby\\rsecret\\r";
    const refused = await login("", typed, { BERTH_HUB_LOGIN: "http://127.0.0.1:1" });
    expect(refused.text).toContain("Failed to start web-based login - falling back to command line login...\n");
    expect(refused.text).toContain("Login Succeeded\n");
    await login("", typed, { DOCKER_CLI_DISABLE_OAUTH_LOGIN: "1" });
    expect(asked).toEqual([`/auth {"username":"moby","password":"secret","serveraddress":"${HUB_KEY}"}`]);
    await login("-u moby", "secret\\r");
    expect(asked).toEqual([`/auth {"username":"moby","password":"secret","serveraddress":"${HUB_KEY}"}`]);
  });

  test("takes neither the browser nor a terminal for --password-stdin, and refuses without a terminal", async () => {
    asked = [];
    writeFileSync(join(directory, "config.json"), "{}");
    const given = await run(BERTH, ["login", "-u", "moby", "--password-stdin"], {
      env: environment(),
      input: "secret\n",
    });
    expect([given.exitCode, given.stdout]).toEqual([0, "Login Succeeded\n"]);
    expect(asked).toEqual([`/auth {"username":"moby","password":"secret","serveraddress":"${HUB_KEY}"}`]);
    writeFileSync(join(directory, "config.json"), "{}");
    const refused = await run(BERTH, ["login"], { env: environment(), input: "" });
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      "Error: Cannot perform an interactive login from a non TTY device\n",
    ]);
  });
});
