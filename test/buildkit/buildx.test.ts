/** Debian 13's buildx against the engine: what its users do. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { CurrentDocker, HAS_CURRENT_DOCKER } from "../../tools/harness/current-docker.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";
import { startSshAgent } from "../../tools/harness/ssh-agent.ts";
import { until } from "../../tools/harness/until.ts";

let engine: PrivateEngine;
let docker: CurrentDocker;
let registry: PrivateRegistry;

const FILES = {
  Dockerfile: [
    "FROM busybox AS base",
    "ARG WHO=nobody",
    "COPY a.txt dir /to/",
    "RUN echo built for $WHO",
    "FROM base AS last",
    "RUN echo last > /last",
  ].join("\n"),
  "a.txt": "a",
  "dir/b.txt": "b",
};

beforeAll(async () => {
  if (!HAS_CURRENT_DOCKER) return;
  engine = await PrivateEngine.start();
  docker = new CurrentDocker(engine.socket);
  registry = await PrivateRegistry.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(async () => {
  if (!HAS_CURRENT_DOCKER) return;
  docker[Symbol.dispose]();
  await registry.close();
  await engine.close();
}, 120_000);

const build = (args: readonly string[], options = {}): Promise<string> =>
  docker.ok(["buildx", "build", ...args], options);
const failed = async (args: readonly string[], options = {}): Promise<string> => {
  const { exitCode, stderr } = await docker.run(["buildx", "build", ...args], options);
  expect(exitCode).not.toBe(0);
  return stderr;
};
const manifestOf = async (name: string): Promise<Record<string, unknown>> => {
  const types = ["oci.image.index.v1", "oci.image.manifest.v1", "docker.distribution.manifest.v2"];
  const accept = types.map((type) => `application/vnd.${type}+json`).join(", ");
  const answer = await fetch(`http://${registry.host}/v2/${name}/manifests/latest`, { headers: { accept } });
  return (await answer.json()) as Record<string, unknown>;
};

describe.skipIf(!HAS_CURRENT_DOCKER)("docker buildx build", () => {
  test("builds into the engine, says so in every way, and finds its cache again", async () => {
    await using context = makeContext(FILES);
    const [metadata, iid] = [join(engine.directory, "metadata.json"), join(context.path, "iid")];
    const files = ["--metadata-file", metadata, "--iidfile", iid];
    const args = ["-t", "plain", "--build-arg", "WHO=me", "--label", "x=y", "--load", ...files, context.path];
    const first = await build(args);
    expect(first).toContain("built for me");
    expect(first).toMatch(/#\d+ exporting to image\n/);
    const id = await engine.ok(["images", "-q", "--no-trunc", "plain"]);
    expect(readFileSync(iid, "utf8")).toBe(id);
    expect(JSON.parse(readFileSync(metadata, "utf8"))).toMatchObject({
      "containerimage.config.digest": id,
      "containerimage.digest": id,
      "image.name": expect.stringMatching(/^docker.io\/library\/plain/),
    });
    expect(await engine.ok(["inspect", "--format", "{{json .Config.Labels}}", "plain"])).toBe('{"x":"y"}');
    expect((await build(args)).match(/CACHED/g)).toHaveLength(4);
    const uncached = await build(["--no-cache-filter", "last", "--build-arg", "WHO=me", context.path]);
    expect(uncached.match(/CACHED/g)).toHaveLength(3);
    expect((await build(["--no-cache", context.path])).match(/CACHED/g)).toHaveLength(1);
    expect((await build(["-q", "--target", "base", context.path])).trim()).toMatch(/^sha256:[0-9a-f]{64}$/);
    const raw = await build(["--progress", "rawjson", context.path]);
    expect(raw).toMatch(/"name": ?"exporting to image"/);
    const terminal = await docker.inTerminal(["buildx", "build", "--progress", "tty", context.path]);
    expect(terminal.stdout).toContain("FINISHED");
  }, 120_000);

  test("sends results where they are wanted, several at once too", async () => {
    await using context = makeContext(FILES);
    await using out = makeContext({});
    const at = (name: string): string => join(out.path, name);
    await build([
      "-o",
      at("files"),
      "-o",
      `type=tar,dest=${at("files.tar")}`,
      "-o",
      "type=image,name=third",
      context.path,
    ]);
    expect(readFileSync(at("files/last"), "utf8")).toBe("last\n");
    expect((await run("tar", ["-tf", at("files.tar")])).stdout).toContain("to/a.txt\n");
    expect(await engine.ok(["images", "-q", "third"])).not.toBe("");
    await build(["-o", `type=oci,dest=${at("oci.tar")}`, context.path]);
    expect((await run("tar", ["-xOf", at("oci.tar"), "index.json"])).stdout).toContain("oci.image.manifest");
    await build(["-o", `type=docker,dest=${at("docker.tar")}`, "-t", "sent", context.path]);
    expect((await run("tar", ["-xOf", at("docker.tar"), "manifest.json"])).stdout).toContain(
      '"RepoTags":["sent:latest"]',
    );
    expect(await engine.ok(["images", "-q", "sent"])).toBe("");
    await build(["-o", `type=oci,tar=false,dest=${at("layout")}`, context.path]);
    const index = JSON.parse(readFileSync(at("layout/index.json"), "utf8"));
    expect(readdirSync(at("layout/blobs/sha256"))).toContain(index.manifests[0].digest.slice("sha256:".length));
    // What has been sent as a layout is an image to build on.
    const onLayout = await build(["--build-context", `base=oci-layout://${at("layout")}`, "-"], {
      input: "FROM base\nRUN cat /last\n",
    });
    expect(onLayout).toMatch(/#\d+ \d\.\d+ last/);
  }, 120_000);

  test("pushes, for several platforms and with annotations", async () => {
    await using context = makeContext({ Dockerfile: "FROM scratch\nARG TARGETARCH\nCOPY a /$TARGETARCH\n", a: "a" });
    const name = (last: string): string => `${registry.host}/${last}`;
    await build(["-t", name("pushed"), "--push", context.path]);
    await build(["-o", `type=registry,name=${name("registry")}`, context.path]);
    expect(await manifestOf("pushed")).toEqual(await manifestOf("registry"));
    const platforms = ["--platform", "linux/amd64,linux/arm64"];
    const metadata = join(context.path, "metadata.json");
    const notes = ["--annotation", "index:a=b", "--annotation", "manifest:c=d"];
    await build([...platforms, ...notes, "-t", name("several"), "--push", "--metadata-file", metadata, context.path]);
    const index = await manifestOf("several");
    expect(index).toMatchObject({ annotations: { a: "b" } });
    expect((index["manifests"] as unknown[]).length).toBe(2);
    const inspected = await docker.ok(["buildx", "imagetools", "inspect", name("several")]);
    expect(inspected).toContain("linux/arm64");
    await docker.ok(["buildx", "imagetools", "create", "-t", name("again"), name("several")]);
    expect(await manifestOf("again")).toEqual(index);
    await build([...platforms, "-o", join(context.path, "out"), context.path]);
    expect(readdirSync(join(context.path, "out")).sort()).toEqual(["linux_amd64", "linux_arm64"]);
  }, 120_000);

  test("shares its cache by a registry, a directory of the client's, and an image", async () => {
    await using context = makeContext(FILES);
    const directory = join(context.path, "..", `cache-${process.pid}`);
    const shared = `${registry.host}/cache`;
    await build(["--cache-to", `type=local,dest=${directory},mode=max`, context.path]);
    await build(["--cache-to", `type=registry,ref=${shared},mode=max`, context.path]);
    await build(["--cache-to", "type=inline", "-t", `${registry.host}/inline`, "--push", context.path]);
    const from = [`type=local,src=${directory}`, `type=registry,ref=${shared}`, `${registry.host}/inline`];
    for (const cache of from) {
      await docker.ok(["buildx", "prune", "-af"]);
      const built = await build(["--cache-from", cache, context.path]);
      expect(built).toContain("importing cache manifest from");
      expect(built.match(/CACHED/g)?.length).toBeGreaterThanOrEqual(3);
    }
    await run("rm", ["-r", directory]);
  }, 120_000);

  test("gives steps secrets, agents, hosts and limits", async () => {
    const agent = join(engine.directory, "agent");
    await using _agent = await startSshAgent(agent);
    await using context = makeContext({
      Dockerfile: [
        "FROM busybox",
        "RUN --mount=type=secret,id=a --mount=type=secret,id=b cat /run/secrets/a /run/secrets/b | tr a-z A-Z",
        "RUN --mount=type=ssh test -S $SSH_AUTH_SOCK && echo an agent",
        "RUN ulimit -n; df -k /dev/shm | tail -n 1; grep 10.9.8.7 /etc/hosts",
      ].join("\n"),
      "a.secret": "first-",
    });
    const secrets = ["--secret", `id=a,src=${join(context.path, "a.secret")}`, "--secret", "id=b,env=SECOND"];
    const limits = ["--ulimit", "nofile=100:200", "--shm-size", "33m", "--add-host", "far:10.9.8.7"];
    const built = await build([...secrets, "--ssh", "default", ...limits, context.path], {
      env: { SECOND: "second", SSH_AUTH_SOCK: agent },
    });
    for (const text of ["FIRST-SECOND", "an agent", " 100\n", " 33792 ", "10.9.8.7"]) expect(built).toContain(text);
    const key = join(context.path, "key");
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    const withKey = await build([...secrets, ...limits, "--ssh", `default=${key}`, "--no-cache", context.path], {
      env: { SECOND: "second" },
    });
    expect(withKey).toContain("an agent");
    expect(await failed(["--no-cache", ...secrets, context.path], { env: { SECOND: "x" } })).toContain("ERROR");
    const networks = "FROM busybox\nRUN cat /proc/net/dev | wc -l\n";
    expect(await build(["--network", "none", "-"], { input: networks })).toMatch(/#\d+ \d\.\d+ 3\n/);
  }, 120_000);

  test("shows where in the Dockerfile it failed", async () => {
    await using context = makeContext({
      Dockerfile: 'FROM busybox\nRUN echo before; \\\n  exit 7\nCMD ["x"]\n',
      Missing: "FROM busybox\nCOPY missing /\n",
      Wrong: "FROM busybox\nCOPYY a /\n",
    });
    const steps = await failed([context.path]);
    expect(steps.slice(steps.indexOf("Dockerfile:2\n"))).toBe(
      [
        "Dockerfile:2",
        "--------------------",
        "   1 |     FROM busybox",
        "   2 | >>> RUN echo before; \\",
        "   3 | >>>   exit 7",
        '   4 |     CMD ["x"]',
        "--------------------",
        'ERROR: failed to solve: process "/bin/sh -c echo before;   exit 7" did not complete successfully: exit code: 7',
        "",
      ].join("\n"),
    );
    const missing = await failed(["-f", join(context.path, "Missing"), context.path]);
    expect(missing).toContain("   2 | >>> COPY missing /\n");
    expect(missing).toMatch(/ERROR: failed to solve: failed to compute cache key: .*"\/missing": not found\n$/);
    const wrong = await failed(["-f", join(context.path, "Wrong"), context.path]);
    expect(wrong).toContain(
      "ERROR: failed to solve: dockerfile parse error on line 2: unknown instruction: COPYY (did you mean COPY?)\n",
    );
    const none = await failed(["-f", join(context.path, "None"), context.path]);
    expect(none).toContain("ERROR: failed to solve: failed to read dockerfile: open None: no such file or directory\n");
  }, 120_000);

  test("asks the Dockerfile for its arguments, stages and faults", async () => {
    const lines = ["# WHO is who", "ARG WHO=me", "# first is first", "FROM busybox AS first", "ARG WHO", "FROM first"];
    await using context = makeContext({ Dockerfile: `${lines.join("\n")}\n` });
    const print = (what: string): Promise<string> =>
      build([`--print=${what}`, context.path], { env: { BUILDX_EXPERIMENTAL: "1" } });
    expect(await print("outline")).toMatch(/BUILD ARG +VALUE[^\n]*\nWHO +me/);
    expect(await print("targets")).toMatch(/TARGET +DESCRIPTION\nfirst +is first\n\(default\)/);
    expect(await print("subrequests.describe")).toMatch(/outline +1\.0\.0/);
    expect(await print("lint")).toContain("no warnings found");
    const unknown = await docker.run(["buildx", "build", "--print=nothing", context.path], {
      env: { BUILDX_EXPERIMENTAL: "1" },
    });
    expect(unknown.stderr).toContain("unsupported request frontend.nothing");
  }, 120_000);

  test("Ctrl-C ends the step", async () => {
    await using context = makeContext({ Dockerfile: "FROM busybox\nRUN echo run $((6 * 7)); sleep 4322\n" });
    const cancelled = await docker.run(["buildx", "build", context.path], { interruptOn: "run 42" });
    expect(cancelled.exitCode).not.toBe(0);
    expect(cancelled.stderr).toContain("context canceled");
    await until(async () => (await run("pgrep", ["-f", "^sleep 4322"])).exitCode === 1);
  }, 120_000);
});

/** Serves files of a directory. */
async function serve(directory: string): Promise<Server & { readonly url: string }> {
  const server = createServer((request, response) => {
    try {
      response.end(readFileSync(join(directory, new URL(request.url ?? "/", "http://x").pathname)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(server, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

describe.skipIf(!HAS_CURRENT_DOCKER)("contexts of buildx", () => {
  test("come from standard input, from URLs and repositories, and by name", async () => {
    await using site = makeContext({
      ...FILES,
      "only.Dockerfile": "FROM busybox\nRUN echo from a URL\n",
      "docker-bake.hcl": 'target "default" { tags = ["remote-bake"] }\n',
    });
    const git = (...args: string[]): Promise<unknown> =>
      run("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], { cwd: site.path });
    await git("init", "-q", ".");
    await git("add", "-A");
    await git("commit", "-qm", "all");
    await git("clone", "-q", "--bare", ".", "all.git");
    await run("git", ["update-server-info"], { cwd: join(site.path, "all.git") });
    await run("tar", ["-czf", "all.tgz", "Dockerfile", "a.txt", "dir"], { cwd: site.path });
    const server = await serve(site.path);
    try {
      const tar = await Bun.file(join(site.path, "all.tgz")).bytes();
      expect(await build(["-"], { input: tar })).toContain("built for nobody");
      expect(await build(["-f", "-", site.path], { input: "FROM busybox\nCOPY a.txt /\nRUN cat a.txt" })).toMatch(
        /#\d+ \d\.\d+ a/,
      );
      for (const remote of ["all.tgz", "all.git"])
        expect(await build([`${server.url}/${remote}`])).toContain("exporting to image");
      expect(await build(["--no-cache", `${server.url}/only.Dockerfile`])).toContain("from a URL");
      const remoteFile = await build(["--no-cache", "-f", `${server.url}/only.Dockerfile`, site.path]);
      expect(remoteFile).toContain(`[internal] load ${server.url}/only.Dockerfile`);
      expect(remoteFile).toContain("from a URL");
      await docker.ok(["buildx", "bake", `${server.url}/all.git`]);
      expect(await engine.ok(["images", "-q", "remote-bake"])).not.toBe("");
      const contexts = {
        one: join(site.path, "dir"),
        two: `${server.url}/all.git`,
        three: `${server.url}/a.txt`,
        four: "docker-image://busybox",
      };
      const named = Object.entries(contexts).flatMap(([name, value]) => ["--build-context", `${name}=${value}`]);
      const input = [
        "FROM four",
        "COPY --from=one b.txt /1",
        "COPY --from=two a.txt /2",
        "COPY --from=three / /3",
        "RUN cat /1 /2 /3/*",
      ].join("\n");
      expect(await build([...named, "-"], { input })).toMatch(/#\d+ \d\.\d+ baa/);
    } finally {
      server.close();
    }
  }, 120_000);
});

describe.skipIf(!HAS_CURRENT_DOCKER)("what steps get", () => {
  test("a name of their own, the host's network when it is allowed, and no power that the engine does not grant", async () => {
    await using context = makeContext({
      Dockerfile: "FROM busybox AS names\nRUN hostname; cat /etc/hosts\nFROM busybox\nRUN --network=host true\n",
    });
    const named = await build(["--build-arg", "BUILDKIT_SANDBOX_HOSTNAME=box", "--target", "names", context.path]);
    expect(named).toMatch(/ box\n/);
    expect(named).toMatch(/127\.0\.0\.1\s+localhost box\n/);
    expect(await failed([context.path])).toContain("network.host is not allowed");
    await build(["--allow", "network.host", context.path]);
    const refused = await failed(["--allow", "security.insecure", context.path]);
    expect(refused).toContain("ERROR: failed to solve: security.insecure is not allowed: it needs");
  }, 60_000);
});

describe.skipIf(!HAS_CURRENT_DOCKER)("docker buildx bake", () => {
  test("builds targets at once, one upon the other", async () => {
    await using project = makeContext({
      "base/Dockerfile": "FROM busybox\nENV OF_BASE=yes\nRUN echo base > /base.txt\n",
      "app/Dockerfile":
        "FROM basis\nARG X\nCOPY --from=basis /base.txt /copied\nRUN echo of base $OF_BASE, $X $(cat /base.txt /copied)\n",
      "docker-bake.hcl": [
        'group "default" { targets = ["app", "other"] }',
        'target "base" { context = "base" }',
        'target "app" {',
        '  context = "app"',
        '  contexts = { basis = "target:base" }',
        '  args = { X = "one" }',
        '  tags = ["bake-app"]',
        "}",
        'target "other" {',
        '  inherits = ["app"]',
        '  args = { X = "two" }',
        '  tags = ["bake-other"]',
        "}",
      ].join("\n"),
      "bake.json": JSON.stringify({ target: { default: { context: "base", tags: ["bake-json"] } } }),
      "compose.yaml": "services:\n  web:\n    image: bake-compose\n    build:\n      context: base\n",
    });
    const bake = (...args: string[]): Promise<string> => docker.ok(["buildx", "bake", ...args], { cwd: project.path });
    const built = await bake("-f", "docker-bake.hcl");
    for (const text of ["of base yes, one base base", "of base yes, two base base"]) expect(built).toContain(text);
    // Each target has its own.
    expect(new Set(built.match(/^#\d+ \[(?:app|other)\] exporting to image$/gm)).size).toBe(2);
    await bake("-f", "bake.json");
    await bake("-f", "compose.yaml", "--set", "web.labels.a=b");
    expect(await engine.ok(["inspect", "--format", "{{json .Config.Labels}}", "bake-compose"])).toContain('"a":"b"');
    expect(JSON.parse((await docker.run(["buildx", "bake", "--print"], { cwd: project.path })).stdout)).toHaveProperty(
      "target.app.contexts",
    );
  }, 120_000);
});

describe.skipIf(!HAS_CURRENT_DOCKER)("buildx's other commands", () => {
  test("tell of the worker and of what builds left, and prune it", async () => {
    await using context = makeContext(FILES);
    await build([context.path]);
    expect(await docker.ok(["buildx", "ls"])).toMatch(/default\s+running\s+v\d+\.\d+.*linux\/amd64/);
    expect(await docker.ok(["buildx", "inspect", "--bootstrap"])).toContain("Status:           running");
    const usage = await docker.ok(["buildx", "du", "--verbose", "--filter", "type=regular"]);
    expect(usage).toMatch(/Description:\s+\[base 2\/3\] COPY a.txt dir \/to\//);
    expect(usage).not.toContain("source.local");
    expect(await docker.ok(["buildx", "prune", "-f", "--filter", "until=24h"])).toMatch(/Total:\s+0B/);
    expect(await docker.ok(["buildx", "prune", "-af", "--keep-storage", "10gb"])).toMatch(/Total:\s+0B/);
    expect(await docker.ok(["buildx", "prune", "-af", "--filter", "type=source.local"])).not.toMatch(/COPY/);
    const [, id = ""] = /ID:\s+(\w+)/.exec(usage) ?? [];
    const one = await docker.ok(["buildx", "du", "--filter", `id=${id.slice(0, 12)}`]);
    expect(one.split("\n").filter((line) => line.includes("true"))).toEqual([expect.stringContaining(id)]);
    expect(await docker.ok(["buildx", "prune", "-af", "--filter", `id=${id}`])).toContain(id);
    await docker.ok(["buildx", "prune", "-af"]);
    expect(await docker.ok(["buildx", "du"])).toMatch(/Total:\s+0B/);
  }, 120_000);
});
