/** Provenance and SBOMs that BuildKit's clients ask for, and what the engine keeps and pushes of them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { CurrentDocker, HAS_CURRENT_DOCKER } from "../../tools/harness/current-docker.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";
import { digestOf } from "../../tools/harness/scripted-registry.ts";

let engine: PrivateEngine;
let docker: CurrentDocker;
let registry: PrivateRegistry;
let web: Server;
let url: string;

const ADDED = "from the web";
/** Tells what BuildKit's protocol gives it. https://github.com/moby/buildkit/blob/master/docs/attestations/sbom-protocol.md */
const SCANNER = `#!/bin/sh
set -e
touch "$BUILDKIT_SCAN_SOURCE/written" 2>/dev/null && exit 9
[ "$BUILDKIT_SCAN_FAIL" = "" ] || { echo cannot scan; exit 3; }
cat > "$BUILDKIT_SCAN_DESTINATION/$(basename $BUILDKIT_SCAN_SOURCE).spdx.json" <<END
{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document",
 "predicate":{"SPDXID":"SPDXRef-DOCUMENT","name":"$(cat $BUILDKIT_SCAN_SOURCE/made)","level":"$BUILDKIT_SCAN_LEVEL"}}
END
for extra in "$BUILDKIT_SCAN_SOURCE_EXTRAS"/*; do
  [ "$BUILDKIT_SCAN_SOURCE_EXTRAS" = "" ] || cat > "$BUILDKIT_SCAN_DESTINATION/$(basename $extra).spdx.json" <<END
{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document",
 "predicate":{"SPDXID":"SPDXRef-DOCUMENT","name":"$(basename $extra): $(cd $extra; echo *)"}}
END
done
`;

beforeAll(async () => {
  if (!HAS_CURRENT_DOCKER) return;
  web = createServer((_, response) => void response.end(ADDED)).listen(0, "127.0.0.1");
  engine = await PrivateEngine.start();
  docker = new CurrentDocker(engine.socket);
  registry = await PrivateRegistry.start();
  await makeBusybox(engine);
  url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/added.txt`;
  await using scanner = makeContext({
    Dockerfile: 'FROM busybox\nCOPY --chmod=755 scan /usr/bin/\nWORKDIR /tmp\nENTRYPOINT ["scan"]\n',
    scan: SCANNER,
  });
  await engine.ok(["build", "-q", "-t", `${registry.host}/scanner`, scanner.path]);
  await engine.ok(["push", "-q", `${registry.host}/scanner`]);
  await engine.ok(["rmi", `${registry.host}/scanner`]);
}, 60_000);

afterAll(async () => {
  if (!HAS_CURRENT_DOCKER) return;
  web.close();
  docker[Symbol.dispose]();
  await registry.close();
  await engine.close();
}, 60_000);

const context = (): ReturnType<typeof makeContext> =>
  makeContext({
    Dockerfile: `FROM busybox\nARG TOKEN TARGETARCH\nADD ${url} /\nRUN --mount=type=secret,id=s echo "made for $TARGETARCH" > /made\n`,
  });

const build = (args: readonly string[], options = {}): Promise<string> =>
  docker.ok(["buildx", "build", ...args], options);

const inspect = async (name: string, field: string): Promise<Record<string, unknown>> =>
  JSON.parse(await docker.ok(["buildx", "imagetools", "inspect", "--format", `{{json .${field}}}`, name]));

const index = async (name: string): Promise<{ readonly manifests?: readonly Record<string, unknown>[] }> =>
  JSON.parse(await docker.ok(["buildx", "imagetools", "inspect", "--raw", name]));

describe.skipIf(!HAS_CURRENT_DOCKER)("docker buildx build --attest", () => {
  test("--provenance is kept beside the name, pushed with it, and names what went in", async () => {
    await using source = context();
    const name = `${registry.host}/app:max`;
    const args = ["--provenance=mode=max", "--build-arg", "TOKEN=t", "--secret", "id=s,env=SECRET", "-t", name];
    const output = await build([...args, "--push", source.path], { env: { SECRET: "hidden-value" } });
    expect(output).toContain("exporting attestation manifest sha256:");
    const slsa = await inspect(name, "Provenance.SLSA");
    expect(slsa).toMatchObject({
      buildType: "https://mobyproject.org/buildkit@v1",
      invocation: { parameters: { args: { "build-arg:TOKEN": "t" }, frontend: "dockerfile.v0" } },
      materials: [
        { uri: "pkg:docker/busybox@latest?platform=linux%2Famd64" },
        { uri: url, digest: { sha256: digestOf(Buffer.from(ADDED)).slice("sha256:".length) } },
      ],
    });
    expect(JSON.stringify(slsa)).not.toContain("hidden-value");
    const { manifests = [] } = await index(name);
    expect(manifests[1]).toMatchObject({
      annotations: {
        "vnd.docker.reference.digest": manifests[0]?.["digest"],
        "vnd.docker.reference.type": "attestation-manifest",
      },
      platform: { os: "unknown" },
    });
    // The store has the same: pulled elsewhere and here, it is one image that runs, saves and goes.
    expect(await engine.ok(["run", "--rm", name, "cat", "/made"])).toBe("made for amd64");
    await engine.ok(["push", "-q", name]);
    expect((await index(name)).manifests).toEqual([...manifests]);
    await engine.ok(["save", "-o", join(source.path, "saved.tar"), name]);
    await engine.ok(["rmi", name]);
    await engine.ok(["load", "-q", "-i", join(source.path, "saved.tar")]);
    expect(await engine.ok(["run", "--rm", name, "cat", "/added.txt"])).toBe(ADDED);
  }, 60_000);

  test("what buildx asks for by itself makes no index, mode=min tells no arguments", async () => {
    await using source = context();
    const name = (tag: string): string => `${registry.host}/app:${tag}`;
    await build(["-t", name("plain"), "--push", source.path]);
    expect((await index(name("plain"))).manifests).toBeUndefined();
    await build(["--attest", "type=provenance,mode=min,builder-id=me", "-t", name("min"), "--push", source.path]);
    const slsa = await inspect(name("min"), "Provenance.SLSA");
    expect(slsa).toMatchObject({ builder: { id: "me" }, invocation: { parameters: {} } });
    expect(JSON.stringify(slsa)).not.toContain("TOKEN");
    const platforms = ["--platform", "linux/amd64,linux/arm64", "--provenance=true", "-t", name("two")];
    await using two = makeContext({ Dockerfile: "FROM scratch\nCOPY made /\n", made: "two" });
    await build([...platforms, "--push", two.path]);
    expect(Object.keys(await inspect(name("two"), "Provenance"))).toEqual(["linux/amd64", "linux/arm64"]);
    expect((await index(name("two"))).manifests).toHaveLength(4);
  }, 60_000);

  test("--sbom runs any generator over the result, read-only, and once for what is the same", async () => {
    await using source = context();
    const name = `${registry.host}/app:sbom`;
    const generator = `generator=${registry.host}/scanner`;
    const attest = `type=sbom,${generator},LEVEL=2`;
    const output = await build(["--attest", attest, "--provenance=true", "-t", name, "--push", source.path]);
    expect(output).toContain(`[linux/amd64] generating sbom using ${registry.host}/scanner:latest`);
    expect(await inspect(name, "SBOM.SPDX")).toMatchObject({ name: "made for amd64", level: "2" });
    expect(await inspect(name, "Provenance.SLSA")).toHaveProperty("materials");
    const again = await build(["--attest", attest, "-o", join(source.path, "out"), source.path]);
    expect(again).toMatch(/generating sbom.*\n#\d+ CACHED/);
    const statement = JSON.parse(readFileSync(join(source.path, "out/sbom.spdx.json"), "utf8"));
    expect(statement).toMatchObject({ predicateType: "https://spdx.dev/Document", predicate: { level: "2" } });
    expect(statement.subject.map((subject: { readonly name: string }) => subject.name)).toContain("made");
    // Berth's own client asks for the same.
    const oci = join(source.path, "oci.tar");
    await engine.ok(["build", "-q", `--sbom=${generator}`, "-o", `type=oci,dest=${oci}`, source.path]);
    const top = JSON.parse((await run("tar", ["-xOf", oci, "index.json"])).stdout).manifests[0];
    const within = (digest: string): string => `blobs/${digest.replace(":", "/")}`;
    const { manifests } = JSON.parse((await run("tar", ["-xOf", oci, within(top.digest)])).stdout);
    const { layers } = JSON.parse((await run("tar", ["-xOf", oci, within(manifests[1].digest)])).stdout);
    expect(layers[0].annotations).toEqual({ "in-toto.io/predicate-type": "https://spdx.dev/Document" });
  }, 60_000);

  test("BUILDKIT_SBOM_SCAN_STAGE and _CONTEXT add stages that were built and the context, each with its attestation", async () => {
    await using source = makeContext({
      Dockerfile: `ARG BUILDKIT_SBOM_SCAN_STAGE=true
FROM --platform=$BUILDPLATFORM busybox AS tools
ARG TARGETARCH
RUN echo \${BUILDKIT_SBOM_SCAN_STAGE:-unseen} > /seen
FROM scratch
COPY --from=tools /seen /from-stage-1
FROM --platform=$BUILDPLATFORM busybox AS unused
RUN false
FROM scratch
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true
COPY --from=tools /seen /made
COPY --from=1 /from-stage-1 /
`,
      ".dockerignore": "secret\n",
      secret: "",
      main: "",
    });
    const generator = `generator=${registry.host}/scanner`;
    const out = join(source.path, "out");
    const files = [
      "made",
      "from-stage-1",
      "sbom-context.spdx.json",
      "sbom-stage-1.spdx.json",
      "sbom-tools.spdx.json",
      "sbom.spdx.json",
    ];
    const name = (file: string): string => JSON.parse(readFileSync(join(out, file), "utf8")).predicate.name;
    const before = await engine.ok(["images", "-aq"]);
    for (const command of [(args: string[]) => build(args), (args: string[]) => engine.ok(["build", ...args])]) {
      await command([`--sbom=${generator}`, "-o", out, source.path]);
      expect(readdirSync(out).sort()).toEqual(files.toSorted());
      expect(readFileSync(join(out, "made"), "utf8")).toBe("unseen\n");
      expect(name("sbom-context.spdx.json")).toBe("sbom-context: Dockerfile main");
      expect(name("sbom-stage-1.spdx.json")).toBe("sbom-stage-1: from-stage-1");
      expect(name("sbom-tools.spdx.json")).toMatch(/^sbom-tools: bin etc .*seen/);
      rmSync(out, { recursive: true });
    }
    const off = ["--build-arg", "BUILDKIT_SBOM_SCAN_STAGE=tools", "--build-arg", "BUILDKIT_SBOM_SCAN_CONTEXT=0"];
    await build([`--sbom=${generator}`, ...off, "--platform", "linux/amd64,linux/arm64", "-o", out, source.path]);
    expect(
      readdirSync(join(out, "linux_amd64"))
        .filter((file) => file.includes("spdx"))
        .sort(),
    ).toEqual(["sbom-tools.spdx.json", "sbom.spdx.json"]);
    expect(await engine.ok(["images", "-aq"])).toBe(before);
  }, 60_000);

  test("a generator that fails, says nothing or cannot be had fails the build, and nothing is named", async () => {
    await using source = context();
    const before = await engine.ok(["images", "-aq"]);
    const cases: readonly (readonly [string, string])[] = [
      [`generator=${registry.host}/scanner,FAIL=1`, "did not complete successfully: exit code: 3"],
      ["generator=busybox", "cannot make an SBOM with docker.io/library/busybox:latest: it wrote no document"],
      [`generator=${registry.host}/none`, `cannot make an SBOM with ${registry.host}/none:latest: ${registry.host}`],
    ];
    for (const [sbom, message] of cases) {
      const { exitCode, stderr } = await docker.run(["buildx", "build", `--sbom=${sbom}`, "-t", "x", source.path]);
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
    }
    expect(await engine.ok(["images", "-aq"])).toBe(before);
  }, 60_000);
});
