import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";
import { digestOf } from "../../tools/harness/scripted-registry.ts";

let engine: PrivateEngine;
let registry: PrivateRegistry;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "berth-provenance-"));
  registry = await PrivateRegistry.start();
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
  await engine.ok(["tag", "busybox", `${registry.host}/base:1`]);
  await engine.ok(["push", `${registry.host}/base:1`]);
}, 120_000);

afterAll(async () => {
  await engine.close();
  await registry.close();
  rmSync(directory, { recursive: true, force: true });
}, 120_000);

const at = (name: string): string => join(directory, name);
const TWO = ["--platform", "linux/amd64,linux/arm64"];

function context(): ReturnType<typeof makeContext> {
  const dockerfile = `FROM --platform=$BUILDPLATFORM ${registry.host}/base:1 AS build
ARG TARGETARCH TOKEN
RUN echo $TARGETARCH > /made
FROM scratch
COPY --from=build /made /
`;
  return makeContext({ Dockerfile: dockerfile });
}

/** What buildx 0.13 reads: an independent reader of the format. */
async function buildxSees(name: string, field: string): Promise<string> {
  const current = join(import.meta.dirname, "../../.cache/current-docker");
  const config = at("docker-config");
  mkdirSync(config, { recursive: true });
  if (!readdirSync(config).includes("cli-plugins"))
    symlinkSync(join(current, "cli-plugins"), join(config, "cli-plugins"));
  writeFileSync(join(config, "config.json"), "{}");
  const env = { DOCKER_CONFIG: config, DOCKER_HOST: `unix://${engine.socket}`, PATH: process.env["PATH"] ?? "" };
  const args = ["buildx", "imagetools", "inspect", "--format", `{{json .${field}}}`, name];
  const { stdout, stderr, exitCode } = await run(join(current, "docker"), args, { env });
  expect([exitCode, stderr]).toEqual([0, ""]);
  return stdout;
}

test("--provenance puts a statement about each platform's image beside it, which buildx reads as it is", async () => {
  await using source = context();
  const name = `${registry.host}/app:max`;
  await engine.ok([
    "build",
    "-q",
    ...TWO,
    "--provenance=true",
    "--build-arg",
    "TOKEN=t",
    "-t",
    name,
    "--push",
    source.path,
  ]);
  const seen = await buildxSees(name, "Provenance");
  expect(
    (await engine.berth(["buildx", "imagetools", "inspect", "--format", "{{json .Provenance}}", name])).stdout,
  ).toBe(seen);
  const { "linux/amd64": amd64, "linux/arm64": arm64 } = JSON.parse(seen);
  const base = (
    await engine.ok(["image", "inspect", "-f", "{{index .RepoDigests 0}}", `${registry.host}/base:1`])
  ).split("sha256:")[1];
  for (const { SLSA: predicate } of [amd64, arm64]) {
    expect(predicate).toMatchObject({
      builder: { id: "" },
      buildType: "https://mobyproject.org/buildkit@v1",
      materials: [{ uri: `pkg:docker/${registry.host}/base@1?platform=linux%2Famd64`, digest: { sha256: base } }],
      invocation: {
        configSource: { entryPoint: "Dockerfile" },
        parameters: {
          frontend: "dockerfile.v0",
          args: { "build-arg:TOKEN": "t", platform: "linux/amd64,linux/arm64" },
          locals: [{ name: "context" }, { name: "dockerfile" }],
        },
        environment: { platform: "linux/amd64" },
      },
      metadata: { completeness: { parameters: true, environment: true, materials: false }, reproducible: false },
    });
    const [info] = predicate.metadata["https://mobyproject.org/buildkit@v1#metadata"].source.infos;
    expect(Buffer.from(info.data, "base64").toString()).toContain("FROM --platform=$BUILDPLATFORM");
    expect(predicate.metadata.buildInvocationID).toMatch(/^[a-z0-9]{25}$/);
  }
  // The statement names the manifest that it is about.
  const index = JSON.parse(await engine.ok(["buildx", "imagetools", "inspect", "--raw", name]));
  expect(index.manifests.map(({ platform }: { platform: { os: string } }) => platform.os)).toEqual([
    "linux",
    "linux",
    "unknown",
    "unknown",
  ]);
  expect(index.manifests[2].annotations).toEqual({
    "vnd.docker.reference.digest": index.manifests[0].digest,
    "vnd.docker.reference.type": "attestation-manifest",
  });
  const raw = (reference: string): Promise<Response> =>
    fetch(`http://${registry.host}/v2/app/${reference}`, {
      headers: { Accept: "application/vnd.oci.image.manifest.v1+json" },
    });
  const manifest = await (await raw(`manifests/${index.manifests[2].digest}`)).json();
  expect(manifest).toMatchObject({
    layers: [
      {
        mediaType: "application/vnd.in-toto+json",
        annotations: { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2" },
      },
    ],
  });
  const statement = await (
    await raw(`blobs/${(manifest as { layers: { digest: string }[] }).layers[0]?.digest}`)
  ).json();
  expect(statement).toMatchObject({
    _type: "https://in-toto.io/Statement/v0.1",
    subject: [
      {
        name: `pkg:docker/${registry.host}/app@max?platform=linux%2Famd64`,
        digest: { sha256: index.manifests[0].digest.slice(7) },
      },
    ],
  });
  // A pull takes the image, and a push of the name keeps the index whole.
  await engine.ok(["rmi", name]);
  const digest = `sha256:${digestOf(Buffer.from(await (await fetch(`http://${registry.host}/v2/app/manifests/max`, { headers: { Accept: "application/vnd.oci.image.index.v1+json" } })).text())).slice(7)}`;
  for (const platform of ["linux/amd64", "linux/arm64"]) await engine.ok(["pull", "-q", "--platform", platform, name]);
  await engine.ok(["tag", name, `${registry.host}/copy:max`]);
  expect(await engine.ok(["push", `${registry.host}/copy:max`])).toContain(`digest: ${digest}`);
  expect(await buildxSees(`${registry.host}/copy:max`, "Provenance")).toBe(seen);
});

test("mode=min leaves arguments and sources out, version=v1 is SLSA's, and an archive has it too", async () => {
  await using source = context();
  const name = `${registry.host}/app:min`;
  const flags = [
    "--attest",
    "type=provenance,mode=min,version=v1,builder-id=https://ci.test/1",
    "--annotation",
    "index:a=b",
  ];
  await engine.ok(["build", "-q", ...flags, "--build-arg", "TOKEN=t", "-t", name, "--push", source.path]);
  const text = await buildxSees(name, "Provenance.SLSA");
  expect(JSON.parse(text)).toMatchObject({
    buildDefinition: {
      externalParameters: { configSource: { path: "Dockerfile" }, request: { args: {}, frontend: "dockerfile.v0" } },
      internalParameters: { builderPlatform: "linux/amd64" },
      resolvedDependencies: [{ uri: expect.stringContaining("pkg:docker/") }],
    },
    runDetails: { builder: { id: "https://ci.test/1" } },
  });
  expect(text).not.toContain("TOKEN");
  expect(JSON.parse(await buildxSees(name, "Manifest")).annotations).toEqual({ a: "b" });
  const archive = at("attested.tar");
  await engine.ok(["build", "-q", "--provenance=mode=min", "-t", "a:1", "-o", `type=oci,dest=${archive}`, source.path]);
  const listed = await run("tar", ["xOf", archive, "index.json"]);
  expect(JSON.parse(listed.stdout).manifests[0].mediaType).toBe("application/vnd.oci.image.index.v1+json");
  expect(await engine.ok(["load", "-i", archive])).toBe("Loaded image: a:1");
});

test("local and tar outputs get provenance.json about their files, unless it is only for images", async () => {
  await using source = context();
  await engine.ok(["build", "-q", "--provenance=mode=min", "-o", at("one"), source.path]);
  const made = readFileSync(at("one/made"));
  expect(JSON.parse(readFileSync(at("one/provenance.json"), "utf8"))).toMatchObject({
    predicateType: "https://slsa.dev/provenance/v0.2",
    subject: [{ name: "made", digest: { sha256: digestOf(made).slice(7) } }],
  });
  await engine.ok(["build", "-q", ...TWO, "--provenance=mode=min", "-o", at("two"), source.path]);
  expect(readdirSync(at("two/linux_arm64")).sort()).toEqual(["made", "provenance.json"]);
  await engine.ok(["build", "-q", "--provenance=mode=min,inline-only=true", "-o", at("inline"), source.path]);
  expect(readdirSync(at("inline"))).toEqual(["made"]);
});

test("attestations that cannot be are refused before anything runs", async () => {
  await using source = context();
  for (const [flags, message] of [
    [["--attest", "type=sbom,generator=X"], "must be lowercase"],
    [["--attest", "type=sbom,a-b=c"], 'invalid parameter "a-b"'],
    [["--attest", "type=frob"], "unknown attestation type: frob"],
    [["--provenance=mode=most"], 'invalid provenance mode "most"'],
    [["--provenance=true", "--attest", "type=provenance"], "duplicate attestation field provenance"],
    [["--provenance=colour=red"], 'unknown parameter "colour"'],
  ] as const) {
    const { exitCode, stderr } = await engine.berth(["build", ...flags, source.path]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
  }
  await engine.ok(["build", "-q", "--provenance=false", "--sbom=false", source.path]);
});
