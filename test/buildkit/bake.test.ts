/** Bake files with Berth's own command, beside buildx's on the same files. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { CurrentDocker, HAS_CURRENT_DOCKER } from "../../tools/harness/current-docker.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

const HCL = `
# What the documentation of bake shows.
variable "TAG" { default = "latest" }
variable "COUNT" { default = 3 }
function "tag" {
  params          = [name]
  variadic_params = more
  result          = join("-", concat(["reg.example/\${name}:\${TAG}"], more))
}
group "default" { targets = ["app", "db"] }
group "all" { targets = ["default", "mx"] }
target "_base" {
  args   = { V = "1", NULLED = null }
  labels = { "org.x" = "<y>" }
}
target "app" {
  inherits   = ["_base"]
  context    = "."
  tags       = [tag("app"), tag("app", "a", "b"), "x:\${COUNT + 1}", COUNT > 2 ? "big" : "small"]
  args       = { W = "\${TAG}-\${upper("z")}", N = COUNT, C = target.db.target }
  platforms  = ["linux/amd64", "linux/arm64"]
  cache-from = ["type=registry,ref=x", "type=registry,ref=x"]
  cache-to   = ["type=inline"]
  output     = ["type=docker"]
  secret     = ["id=s,env=HOME"]
  no-cache   = true
  contexts   = { other = "target:db", img = "docker-image://alpine" }
  attest     = ["type=provenance,mode=min"]
  ulimits    = ["nofile=1024:1024"]
  target     = "final"
}
target "db" {
  dockerfile-inline = <<EOT
FROM scratch
LABEL a=\${TAG}
EOT
  tags   = [for n in ["a", "b"] : "db:\${n}" if n != "b"]
  output = ["."]
  target = "t"
}
target "mx" {
  name   = "mx-\${replace(v, ".", "-")}-\${os}"
  matrix = { v = ["1.0", "2.0"], os = ["l", "w"] }
  args   = { V = v, OS = os }
}
`;
const JSON_FILE = JSON.stringify({
  variable: { V: { default: "1" } },
  group: { default: { targets: ["a"] } },
  target: { a: { tags: ["a:${V}"], args: { x: "${upper(V)}" }, context: "${V}" } },
});
const COMPOSE = `
services:
  web:
    image: web:\${TAG:-dev}
    build:
      context: ./web
      dockerfile: Dockerfile.web
      args: [A=1, B]
      labels: {l: "1"}
      target: t
      cache_from: [x:y]
      tags: [extra:1]
      additional_contexts: {o: "docker-image://alpine"}
      x-bake: {output: ["type=docker"], platforms: [linux/arm64], tags: [xb:1]}
  cache: {image: redis}
`;

/** What `--print` tells, with the targets of groups sorted: buildx has those of a matrix in another order each time. */
function inOrder(printed: string): { readonly group: Record<string, { readonly targets: readonly string[] }> } {
  const told = JSON.parse(printed);
  for (const group of Object.values<{ targets: string[] }>(told.group)) group.targets.sort();
  return told;
}

describe.skipIf(!HAS_CURRENT_DOCKER)("bake --print", () => {
  const cases: readonly (readonly [file: string, args: readonly string[], environment?: Record<string, string>])[] = [
    ["docker-bake.hcl", []],
    ["docker-bake.hcl", ["all"], { TAG: "v2", COUNT: "1" }],
    ["docker-bake.hcl", ["mx", "mx-1-0-l"]],
    ["docker-bake.hcl", ["app", "--set", "app.args.W=2", "--set", "*.platform=linux/s390x", "--set", "app.tags=q"]],
    ["docker-bake.hcl", ["app", "_base", "--push", "--no-cache", "--pull"]],
    ["docker-bake.hcl", ["app", "--load", "--provenance=false", "--set", "a*.contexts.more=dir"]],
    ["x.json", []],
    ["x.json", [], { V: "v" }],
    ["compose.yaml", [], { TAG: "t" }],
  ];

  test("tells what buildx tells, of HCL, JSON and Compose files", async () => {
    await using files = makeContext({ "docker-bake.hcl": HCL, "x.json": JSON_FILE, "compose.yaml": COMPOSE });
    using docker = new CurrentDocker(engine.socket);
    for (const [file, args, env = {}] of cases) {
      const line = ["bake", "-f", file, "--print", ...args];
      const theirs = await docker.run(["buildx", ...line], { env, cwd: files.path });
      const ours = await engine.berth(line, { env, cwd: files.path });
      expect([line, ours.stderr, inOrder(ours.stdout)]).toEqual([line, "", inOrder(theirs.stdout)]);
      if (!/\b(all|mx)\b/.test(line.join(" "))) expect(ours.stdout.trim()).toBe(theirs.stdout.trim());
    }
  }, 120_000);
});

describe("bake", () => {
  const FILE = `
target "base" {
  dockerfile-inline = "FROM busybox\\nRUN echo base > /base\\n"
}
target "app" {
  context  = "dir"
  contexts = { base = "target:base" }
  args     = { A = "a b" }
  tags     = ["bake-app"]
}
target "both" {
  inherits = ["app"]
  contexts = { base = "target:layers" }
  platforms = ["linux/amd64", "linux/arm64"]
  tags     = ["bake-both"]
}
target "layers" {
  platforms = ["linux/amd64", "linux/arm64"]
  dockerfile-inline = "FROM scratch\\nARG TARGETARCH\\nLABEL arch=$TARGETARCH\\nCOPY f /base\\n"
  context = "dir"
}
target "fails" { dockerfile-inline = "FROM busybox\\nRUN exit 4" }
target "open" { entitlements = ["network.host"] }
`;
  const context = (): ReturnType<typeof makeContext> =>
    makeContext({
      "docker-bake.hcl": FILE,
      "dir/Dockerfile": "FROM base\nARG A\nCOPY f /f\nENV A=$A\n",
      "dir/f": "f\n",
    });

  test("builds targets behind those that they take, and leaves nothing of what only others take", async () => {
    await using files = context();
    const before = (await engine.ok(["images", "-aq"])).split("\n");
    const run = (...args: readonly string[]): ReturnType<PrivateEngine["berth"]> =>
      engine.berth(["buildx", "bake", "--progress", "plain", ...args], { cwd: files.path });
    const built = await run("app", "both", "--metadata-file", join(files.path, "m.json"));
    expect([built.exitCode, built.stderr.match(/^==> \w+$/gm)]).toEqual([
      0,
      ["==> base", "==> app", "==> layers", "==> both"],
    ]);
    expect(await engine.ok(["run", "--rm", "bake-app", "sh", "-c", "cat /base /f; echo $A"])).toBe("base\nf\na b");
    const arch = [
      "image",
      "inspect",
      "--platform",
      "linux/arm64",
      "-f",
      "{{.Architecture}} {{.Config.Labels.arch}}",
      "bake-both",
    ];
    expect(await engine.ok(arch)).toBe("arm64 arm64");
    const metadata = JSON.parse(readFileSync(join(files.path, "m.json"), "utf8"));
    expect(metadata.app["image.name"]).toBe("docker.io/library/bake-app:latest");
    expect((await engine.ok(["images", "-q"])).split("\n")).toHaveLength(before.length + 2);
    await engine.ok(["rmi", "bake-app", "bake-both"]);
    expect((await engine.ok(["images", "-aq"])).split("\n")).toEqual(before);
  }, 60_000);

  test("ends with what fails, and asks before it leaves the confinement", async () => {
    await using files = context();
    const run = (...args: readonly string[]): ReturnType<PrivateEngine["berth"]> =>
      engine.berth(["bake", ...args], { cwd: files.path });
    const failed = await run("fails", "app", "--metadata-file", join(files.path, "m.json"));
    expect([failed.exitCode, failed.stderr]).toEqual([1, expect.stringContaining("exit code: 4")]);
    expect(existsSync(join(files.path, "m.json"))).toBe(false);
    expect((await run("open")).stderr).toContain("target open asks for network.host: it needs --allow network.host");
    expect((await run("none")).stderr).toContain("failed to find target none");
    expect((await run("-f", "https://example.org/a.git")).stderr).toContain("is remote, which is not supported");
    expect((await run("-f", "none.hcl")).stderr).toContain("open none.hcl: no such file or directory");
    expect((await run("app", "--push", "--load")).stderr).toContain("push and load may not be set together");
  }, 60_000);
});
