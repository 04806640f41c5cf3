import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { type Certificates, makeCertificates } from "../../tools/harness/certificates.ts";
import { type Finished, run } from "../../tools/harness/child.ts";
import { BERTH, PrivateEngine } from "../../tools/harness/private-engine.ts";

/** Ways to an engine other than its socket: tcp, TLS, ssh. */

let directory: string;
let engine: PrivateEngine;
let files: Certificates;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "berth-remote-"));
  files = await makeCertificates(directory);
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(async () => {
  await engine.close();
  rmSync(directory, { recursive: true, force: true });
}, 120_000);

/** The same engine started again, on its socket and on a free port besides. Gives the port. */
async function listenOnPort(...flags: readonly string[]): Promise<number> {
  await engine.stop();
  const hosts = ["-H", `unix://${engine.socket}`, "-H", "tcp://127.0.0.1:0"];
  const before = engine.log().length;
  engine = await PrivateEngine.start({ directory: engine.directory, daemonArgs: [...hosts, ...flags] });
  const port = /tcp:\/\/127\.0\.0\.1:(\d+), data in/.exec(engine.log().slice(before))?.[1];
  return Number(port);
}

function berth(args: readonly string[], options: Parameters<typeof run>[2] = {}): Promise<Finished> {
  return run(BERTH, args, options);
}

const echoes = ["run", "--rm", "-i", "busybox", "cat"];
/** More than any buffer on the way. */
const text = randomBytes(600_000).toString("hex");

describe("an engine on a port", () => {
  test("serves the same API, says that it is open, and takes nothing from web pages", async () => {
    const port = await listenOnPort();
    const host = `tcp://127.0.0.1:${port}`;
    const { stdout } = await berth(["-H", host, ...echoes], { input: text });
    expect(stdout === text).toBe(true);
    expect(engine.log()).toContain(`API is accessible on http://127.0.0.1:0 without encryption.`);
    expect((await berth(["-H", host, "info"])).stdout + (await berth(["-H", host, "info"])).stderr).toContain(
      "without encryption",
    );
    const page = await fetch(`http://127.0.0.1:${port}/containers/json`, {
      headers: { Origin: "http://evil.example" },
    });
    expect(page.status).toBe(403);
  }, 120_000);

  test("speaks TLS, and with --tlsverify only with those who have a certificate of its CA", async () => {
    const own = ["--tlscert", files.cert, "--tlskey", files.key];
    const port = await listenOnPort("--tlsverify", "--tlscacert", files.ca, ...own);
    const host = ["-H", `tcp://127.0.0.1:${port}`];
    const trusted = [...host, "--tlsverify", "--tlscacert", files.ca, ...own];
    const { stdout, stderr } = await berth([...trusted, ...echoes], { input: text });
    expect([stdout === text, stderr]).toEqual([true, ""]);
    const byDirectory = { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: directory };
    expect((await berth(["ps", "-q"], { env: byDirectory })).exitCode).toBe(0);

    expect((await berth([...host, "ps"])).exitCode).toBe(1);
    expect((await berth([...host, "--tls", "ps"])).exitCode).toBe(1);
    const noAuthority = await berth([...host, "--tlsverify", ...own, "ps"], { env: { DOCKER_CONFIG: "/nope" } });
    expect(noAuthority.stderr).toContain("open /nope/ca.pem: no such file or directory");
    const stranger = await berth([...host, "--tlsverify", "--tlscacert", files.cert, ...own, "ps"]);
    expect(stranger.exitCode).toBe(1);
    expect(stranger.stderr).toContain("tls: failed to verify certificate");
    expect((await berth([...trusted, "ps", "-q"])).exitCode).toBe(0);
  }, 120_000);

  test("does not start without the files of its certificate", async () => {
    const roots = ["--data-root", join(directory, "data"), "--exec-root", join(directory, "run")];
    const { exitCode, stderr } = await berth([
      "daemon",
      ...roots,
      "-H",
      "tcp://127.0.0.1:0",
      "--tls",
      "--tlscert=/nope",
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('could not load X509 key pair (cert: "/nope"');
  }, 120_000);
});

describe("an engine behind ssh", () => {
  /** An ssh that runs the command here: what is tested is Berth's part on both ends. */
  function pathWithSsh(): string {
    const bin = join(directory, "bin");
    mkdirSync(bin, { recursive: true });
    const script = [
      "#!/bin/sh",
      'while [ "$1" != "--" ]; do shift; done',
      'if [ "$2" = down ]; then echo "ssh: connect to host down: refused" >&2; exit 255; fi',
      'shift 2; exec sh -c "$*"',
    ];
    writeFileSync(join(bin, "ssh"), `${script.join("\n")}\n`);
    chmodSync(join(bin, "ssh"), 0o755);
    rmSync(join(bin, "berth"), { force: true });
    symlinkSync(BERTH, join(bin, "berth"));
    return `${bin}:${process.env["PATH"]}`;
  }

  test("is reached through `system dial-stdio`, streams and half-closes included", async () => {
    const env = { PATH: pathWithSsh(), DOCKER_HOST: `ssh://me@here${engine.socket}` };
    const { stdout, stderr } = await berth(echoes, { env, input: text });
    expect([stdout === text, stderr]).toEqual([true, ""]);
  }, 120_000);

  test("that cannot be reached is told of with ssh's own words", async () => {
    const { exitCode, stderr } = await berth(["-H", "ssh://down", "ps"], { env: { PATH: pathWithSsh() } });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("command [ssh -o ConnectTimeout=30 -T -- down] has exited with exit status 255");
    expect(stderr).toContain("stderr=ssh: connect to host down: refused");
  });
});
