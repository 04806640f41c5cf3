import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

let engine: PrivateEngine;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "berth-entitlements-"));
  const config = join(directory, "daemon.json");
  writeFileSync(config, JSON.stringify({ builder: { entitlements: { "security-insecure": true } } }));
  engine = await PrivateEngine.start({ daemonArgs: ["--config-file", config] });
  await makeBusybox(engine);
}, 120_000);

afterAll(async () => {
  await engine.close();
  rmSync(directory, { recursive: true, force: true });
}, 120_000);

async function output(tag: string): Promise<string> {
  return await engine.ok(["run", "--rm", tag]);
}

describe("berth build --build-context", () => {
  test("puts a directory in the place of an image, of a stage, of what --from names", async () => {
    await using main = makeContext({
      Dockerfile: [
        "FROM nowhere.example/tools AS tools",
        "FROM busybox AS replaced",
        "RUN exit 1",
        "FROM busybox",
        "COPY --from=tools /t /from-image",
        "COPY --from=replaced /t /from-stage",
        "COPY --from=extra sub/t /from-name",
        "RUN --mount=from=extra,source=sub,target=/m cat /m/t > /from-mount",
        "CMD cat /from-image /from-stage /from-name /from-mount",
        "",
      ].join("\n"),
    });
    await using files = makeContext({
      t: "files\n",
      "sub/t": "sub\n",
      "ignored.txt": "x",
      ".dockerignore": "ignored.txt\n",
    });
    const contexts = ["nowhere.example/tools", "replaced", "extra"].flatMap((name) => [
      "--build-context",
      `${name}=${files.path}`,
    ]);
    await engine.ok(["build", "-q", "-t", "named", ...contexts, main.path]);
    expect(await output("named")).toBe("files\nfiles\nsub\nsub");
    const again = await engine.berth(["build", "--progress", "plain", ...contexts, main.path]);
    expect(again.stderr).toContain("[context extra] load from client");
    expect(again.stderr).not.toMatch(/RUN --mount.*\n#\d+ DONE/);
    const ignored = await engine.berth(["build", ...contexts, "-f", "-", main.path], {
      input: "FROM busybox\nCOPY --from=extra ignored.txt /\n",
    });
    expect(ignored.stderr).toContain('"/ignored.txt": not found');
  });

  test("docker-image:// stands for another image; an OCI layout is read from its directory", async () => {
    await using main = makeContext({ Dockerfile: 'FROM alpine:3\nCMD ["cat", "/which"]\n' });
    await engine.berth(["build", "-q", "-t", "other", "-"], { input: "FROM busybox\nRUN echo other > /which\n" });
    await engine.ok(["build", "-q", "-t", "swapped", "--build-context", "alpine:3=docker-image://other", main.path]);
    expect(await output("swapped")).toBe("other");

    const layout = join(main.path, "..", "layout");
    const archive = join(engine.directory, "other.tar");
    await engine.ok(["save", "-o", archive, "other"]);
    execFileSync("skopeo", ["copy", "--quiet", "--insecure-policy", `docker-archive:${archive}`, `oci:${layout}:v1`]);
    const fromLayout = await engine.berth([
      "build",
      "-t",
      "laid",
      "--build-context",
      `alpine:3=oci-layout://${layout}:v1`,
      main.path,
    ]);
    expect(fromLayout.stderr).toContain("exporting to image");
    expect(await output("laid")).toBe("other");
    execFileSync("rm", ["-rf", layout]);
  });

  test("says what is wrong with one", async () => {
    await using main = makeContext({ Dockerfile: "FROM busybox\nCOPY --from=x a /\n" });
    const build = (value: string): Promise<string> =>
      engine.berth(["build", "--build-context", value, main.path]).then(({ stderr }) => stderr);
    expect(await build("nope")).toContain("invalid context value: nope, expected key=value");
    expect(await build("x=/does/not/exist")).toContain('path "/does/not/exist" not found');
    expect(await build("x=ftp://a/b")).toContain("not found");
    expect(await build(`x=oci-layout://${main.path}:v1`)).toContain("is no OCI layout");
  });
});

describe("berth build takes its context", () => {
  test("from stdin: a Dockerfile, or a tar of any compression", async () => {
    const dockerfile = 'FROM busybox\nCMD ["echo", "alone"]\n';
    await engine.berth(["build", "-q", "-t", "alone", "-"], { input: dockerfile });
    expect(await output("alone")).toBe("alone");
    await using files = makeContext({
      Dockerfile: 'FROM busybox\nCOPY a /a\nCMD ["cat", "/a"]\n',
      "other/Dockerfile": 'FROM busybox\nCMD ["echo", "other"]\n',
      a: "from tar",
    });
    for (const flag of [[], ["-z"], ["-j"], ["-J"], ["--zstd"]]) {
      const tar = execFileSync("tar", [...flag, "-cf", "-", "-C", files.path, "."]);
      const built = await engine.berth(["build", "-q", "--no-cache", "-t", "tarred", "-"], { input: tar });
      expect(built.stderr).toBe("");
      expect(await output("tarred")).toBe("from tar");
    }
    const tar = execFileSync("tar", ["-cf", "-", "-C", files.path, "."]);
    await engine.berth(["build", "-q", "-t", "tarred", "-f", "other/Dockerfile", "-"], { input: tar });
    expect(await output("tarred")).toBe("other");
  });

  test("from a URL: a tar, a Dockerfile; and a Dockerfile from stdin or elsewhere for any context", async () => {
    await using files = makeContext({ Dockerfile: 'FROM busybox\nCOPY a /a\nCMD ["cat", "/a"]\n', a: "remote" });
    const tar = execFileSync("tar", ["-czf", "-", "-C", files.path, "."]);
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request) => {
        if (request.url.endsWith("/c.tar.gz")) return new Response(tar);
        return new Response('FROM busybox\nCMD ["echo", "dockerfile by url"]\n');
      },
    });
    const url = `http://127.0.0.1:${server.port}`;
    await engine.ok(["build", "-q", "-t", "remote", `${url}/c.tar.gz`]);
    expect(await output("remote")).toBe("remote");
    await engine.ok(["build", "-q", "-t", "remote", `${url}/Dockerfile.any`]);
    expect(await output("remote")).toBe("dockerfile by url");
    const stdin = 'FROM busybox\nCOPY a /b\nCMD ["cat", "/b"]\n';
    await engine.berth(["build", "-q", "-t", "remote", "-f", "-", `${url}/c.tar.gz`], { input: stdin });
    expect(await output("remote")).toBe("remote");
    // The API itself, as docker's SDKs call it; that for Go sends null for what was not given.
    const response = await run("curl", [
      "-s",
      "--unix-socket",
      engine.socket,
      "-X",
      "POST",
      `http://x/v1.43/build?t=api&buildargs=null&labels=null&cachefrom=null&remote=${encodeURIComponent(`${url}/c.tar.gz`)}`,
    ]);
    expect(response.stdout).toContain("Successfully tagged api:latest");
    const wrong = await engine.berth(["build", `${url.replace("http", "https")}/c.tar.gz`]);
    expect(wrong.stderr).toContain("failed to load https://127.0.0.1");
  });

  test("with -f outside of it, and <Dockerfile>.dockerignore", async () => {
    await using files = makeContext({ a: "1", b: "2" });
    await using elsewhere = makeContext({
      "X.Dockerfile": 'FROM busybox\nCOPY . /c\nCMD ["ls", "/c"]\n',
      "X.Dockerfile.dockerignore": "a\n",
    });
    await engine.ok(["build", "-q", "-t", "outside", "-f", join(elsewhere.path, "X.Dockerfile"), files.path]);
    expect(await output("outside")).toBe("b");
  });
});

describe("entitlements", () => {
  test("--allow grants the host's network and insecure steps; without it both are refused", async () => {
    await using insecure = makeContext({
      Dockerfile: "FROM busybox\nRUN --security=insecure mount -t tmpfs none /mnt && echo mounted\n",
    });
    const refused = await engine.berth(["build", insecure.path]);
    expect(refused.stderr).toContain("security.insecure is not allowed");
    expect(refused.stderr).toContain("Dockerfile:2");
    const allowed = await engine.berth(["build", "--progress", "plain", "--allow", "security.insecure", insecure.path]);
    expect(allowed.stderr).toContain("mounted");
    await using host = makeContext({
      Dockerfile: "FROM busybox\nRUN --network=host true\nRUN --network=none ip link | grep -c ': '\n",
    });
    expect((await engine.berth(["build", host.path])).stderr).toContain("network.host is not allowed");
    const granted = await engine.berth(["build", "--progress", "plain", "--allow", "network.host", host.path]);
    expect(granted.exitCode).toBe(0);
    expect((await engine.berth(["build", "--allow", "all", host.path])).stderr).toContain('unknown entitlement "all"');
  });
});

test("builds leave no temporary file and no mount", async () => {
  mkdirSync(join(engine.directory, "ctx"), { recursive: true });
  writeFileSync(join(engine.directory, "ctx", "Dockerfile"), "FROM busybox\nRUN --mount=target=/c ls /c\n");
  await engine.ok(["build", "-q", join(engine.directory, "ctx")]);
  expect(readdirSync(join(engine.directory, "data", "tmp"))).toEqual([]);
});
