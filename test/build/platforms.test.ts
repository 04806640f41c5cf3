import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";

let engine: PrivateEngine;
let registry: PrivateRegistry;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "berth-platforms-"));
  registry = await PrivateRegistry.start();
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(async () => {
  await engine.close();
  await registry.close();
  rmSync(directory, { recursive: true, force: true });
}, 120_000);

/** Cross compilation: all RUNs are this machine's, the images are of any platform. */
const DOCKERFILE = `FROM --platform=$BUILDPLATFORM busybox AS build
WORKDIR /src
COPY app .
RUN cat /proc/sys/kernel/random/uuid > shared
ARG TARGETOS TARGETARCH TARGETVARIANT
RUN echo "$TARGETOS/$TARGETARCH/$TARGETVARIANT" > target
FROM scratch
ARG TARGETARCH
COPY --from=build /src/target /src/shared /
LABEL arch=$TARGETARCH
`;
const PLATFORMS = ["--platform", "linux/amd64,linux/arm64,linux/arm/v7"];
const TWO = ["--platform", "linux/amd64,linux/arm64"];

const context = (): ReturnType<typeof makeContext> => makeContext({ Dockerfile: DOCKERFILE, app: "1" });
const at = (name: string): string => join(directory, name);
const json = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

interface Index {
  readonly mediaType: string;
  readonly annotations?: Record<string, string>;
  readonly manifests: readonly {
    readonly digest: string;
    readonly mediaType: string;
    readonly platform: { readonly os: string; readonly architecture: string; readonly variant?: string };
    readonly annotations?: Record<string, string>;
  }[];
}

async function fetchManifest<T>(
  repository: string,
  reference: string,
): Promise<T & { readonly digest: string | null }> {
  const accept = ["index", "manifest"].map((kind) => `application/vnd.oci.image.${kind}.v1+json`);
  const docker = ["manifest", "manifest.list"].map((kind) => `application/vnd.docker.distribution.${kind}.v2+json`);
  const response = await fetch(`http://${registry.host}/v2/${repository}/manifests/${reference}`, {
    headers: { Accept: [...accept, ...docker].join(", ") },
  });
  expect(response.status).toBe(200);
  return { ...((await response.json()) as T), digest: response.headers.get("docker-content-digest") };
}

test("build --platform a,b makes one image a platform under one name, and shared steps once", async () => {
  await using source = context();
  const [metadata, iid] = [at("metadata.json"), at("iid")];
  const args = ["build", "--progress", "plain", ...PLATFORMS, "-t", "app:three", "--metadata-file", metadata];
  const { stderr, exitCode } = await engine.berth([...args, "--iidfile", iid, source.path]);
  expect(exitCode).toBe(0);
  const names = [...new Set([...stderr.matchAll(/^#\d+ (\[.*)/gm)].map(([, name = ""]) => name))];
  expect(names.filter((name) => name.startsWith("[linux")).sort()).toEqual(
    [
      "[linux/amd64 build 1/5] FROM docker.io/library/busybox:latest",
      "[linux/amd64 build 2/5] WORKDIR /src",
      "[linux/amd64 build 3/5] COPY app .",
      "[linux/amd64 build 4/5] RUN cat /proc/sys/kernel/random/uuid > shared",
      '[linux/amd64 build 5/5] RUN echo "linux/amd64/" > target',
      "[linux/amd64 internal] load metadata for docker.io/library/busybox:latest",
      "[linux/amd64 stage-1 1/1] COPY --from=build /src/target /src/shared /",
      '[linux/amd64->arm/v7 build 5/5] RUN echo "linux/arm/v7" > target',
      '[linux/amd64->arm64 build 5/5] RUN echo "linux/arm64/" > target',
      "[linux/arm/v7 stage-1 1/1] COPY --from=build /src/target /src/shared /",
      "[linux/arm64 stage-1 1/1] COPY --from=build /src/target /src/shared /",
    ].sort(),
  );
  const told = json(readFileSync(metadata, "utf8"));
  expect(told["containerimage.config.digest"]).toBeUndefined();
  expect(told["containerimage.descriptor"]).toMatchObject({ mediaType: "application/vnd.oci.image.index.v1+json" });
  expect(readFileSync(iid, "utf8")).toBe(String(told["containerimage.digest"]));
  // The index's digest, the name, and the name with a platform.
  expect(await engine.ok(["inspect", "-f", "{{.Architecture}}", readFileSync(iid, "utf8")])).toBe("amd64");
  for (const platform of ["amd64", "arm64", "arm"]) {
    const format = "{{.Architecture}} {{.Config.Labels.arch}}";
    const found = await engine.ok(["image", "inspect", "--platform", `linux/${platform}`, "-f", format, "app:three"]);
    expect(found).toBe(`${platform} ${platform}`);
  }
  // Again: all from the cache, and the same index.
  const again = await engine.berth([...args, source.path]);
  expect(again.stderr.match(/CACHED/g)?.length).toBe(10);
  expect(json(readFileSync(metadata, "utf8"))["containerimage.digest"]).toBe(told["containerimage.digest"]);
  const record = json(await engine.ok(["build", "history", "inspect", "--format", "json"]));
  expect(record).toMatchObject({ platform: "linux/amd64,linux/arm64,linux/arm/v7", status: "completed" });
});

test("without a name the index is kept, and its digest means all platforms until its images go", async () => {
  await using source = context();
  const [metadata, iid] = [at("nameless.json"), at("nameless-iid")];
  const args = ["build", ...TWO, "--label", "own=1", "--iidfile", iid, "--metadata-file", metadata, source.path];
  await engine.ok(args);
  const index = readFileSync(iid, "utf8");
  expect(json(readFileSync(metadata, "utf8"))).toMatchObject({
    "containerimage.digest": index,
    "containerimage.descriptor": { mediaType: "application/vnd.oci.image.index.v1+json", digest: index },
  });
  const architecture = (name: string, platform: string): Promise<string> =>
    engine.ok(["image", "inspect", "--platform", platform, "-f", "{{.Architecture}}", name]);
  expect(await architecture(index, "linux/arm64")).toBe("arm64");
  expect(await engine.ok(["inspect", "-f", "{{.Architecture}}", index])).toBe("amd64");
  // One image in the list, as of a name.
  const dangling = ["image", "ls", "-qa", "--filter", "dangling=true"];
  expect((await engine.ok(dangling)).split("\n")).toHaveLength(1);
  // Given a name it is the name's.
  await engine.ok(["tag", index, "app:late"]);
  expect(await architecture("app:late", "linux/arm64")).toBe("arm64");
  expect(await engine.ok(["rmi", "app:late"])).toMatch(/^Untagged: app:late\n(Deleted: .*\n?){2,}$/);
  // Removed by its digest, by a prune, and a platform at a time.
  await engine.ok(args);
  expect(await engine.ok(["rmi", index])).toMatch(/^(Deleted: .*\n?){2,}$/);
  await engine.ok(args);
  await engine.ok(["image", "prune", "-f"]);
  expect(await engine.ok(dangling)).toBe("");
  await engine.ok(args);
  await engine.ok(["rmi", "--platform", "linux/amd64", index]);
  expect(await engine.ok(["inspect", "-f", "{{.Architecture}}", index])).toBe("arm64");
  await engine.ok(["rmi", index]);
  expect((await engine.berth(["inspect", index])).exitCode).toBe(1);
  // What is only sent leaves nothing.
  await engine.ok(["build", ...TWO, "-o", `type=oci,dest=${at("nameless.tar")}`, source.path]);
  expect(await engine.ok(dangling)).toBe("");
}, 60_000);

test("--plan, --twice and reasons know several platforms", async () => {
  await using source = context();
  await engine.ok(["build", "-q", ...TWO, "-t", "app:plan", source.path]);
  await Bun.write(join(source.path, "app"), "2");
  const plan = await engine.berth(["build", "--plan", ...TWO, "-t", "app:plan", source.path]);
  expect(plan.exitCode).toBe(2);
  expect(plan.stdout).toContain("[linux/amd64 build 3/5] COPY app .");
  const { stderr } = await engine.berth(["build", "--progress", "plain", ...TWO, "-t", "app:plan", source.path]);
  expect(stderr).toContain("why: app changed");
  expect(stderr).toContain("why: an earlier step (linux/amd64 build 3/5) ran");
  const twice = await engine.berth(["build", "-q", "--twice", ...TWO, source.path]);
  expect(twice.exitCode).toBe(2);
  expect(twice.stdout).toContain("shared");
});

test("--push sends an index with annotations of all four kinds, which skopeo and a pull read", async () => {
  await using source = context();
  const name = `${registry.host}/app:multi`;
  const annotations = ["index:i=1", "m=all", "manifest[linux/arm64]:m=arm", "manifest-descriptor[linux/amd64]:d=x"];
  const flags = annotations.flatMap((annotation) => ["--annotation", annotation]);
  const metadata = at("pushed.json");
  await engine.ok(["build", "-q", ...TWO, "-t", name, ...flags, "--push", "--metadata-file", metadata, source.path]);
  const index = await fetchManifest<Index>("app", "multi");
  expect(index).toMatchObject({
    annotations: { i: "1" },
    digest: json(readFileSync(metadata, "utf8"))["containerimage.digest"],
  });
  expect(index.manifests.map(({ platform, annotations: own }) => [platform.architecture, own])).toEqual([
    ["amd64", { d: "x" }],
    ["arm64", undefined],
  ]);
  const [amd, arm] = await Promise.all(
    index.manifests.map(({ digest }) =>
      fetchManifest<{ annotations: unknown; layers: { mediaType: string }[] }>("app", digest),
    ),
  );
  expect([amd?.annotations, arm?.annotations]).toEqual([{ m: "all" }, { m: "arm" }]);
  expect(amd?.layers[0]?.mediaType).toBe("application/vnd.oci.image.layer.v1.tar+gzip");
  // Pushed again, and under another name: the same digest. And a pull keeps it.
  expect(await engine.ok(["push", name])).toContain(`digest: ${index.digest}`);
  await engine.ok(["tag", name, `${registry.host}/other:multi`]);
  expect(await engine.ok(["push", `${registry.host}/other:multi`])).toContain(`digest: ${index.digest}`);
  const copied = await run("skopeo", [
    "copy",
    "--all",
    "--src-tls-verify=false",
    `docker://${name}`,
    `dir:${at("dir")}`,
  ]);
  expect(copied.exitCode).toBe(0);
  const digests = await engine.ok(["image", "inspect", "-f", "{{json .RepoDigests}}", name]);
  expect(digests).toContain(`${registry.host}/app@${index.digest}`);
});

test("annotations are refused only where BuildKit refuses them", async () => {
  await using source = makeContext({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" });
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["--annotation", "index:a=1"], "index annotations not supported for single platform export"],
    [["--annotation", "index-descriptor:a=1"], "index annotations not supported for single platform export"],
    [["--annotation", "manifest[linux/s390x]:a=1"], "invalid annotation: no platform linux/s390x found in source"],
    [["--annotation", "frame:a=1"], "unknown annotation type"],
  ];
  for (const [flags, message] of cases) {
    const { stderr, exitCode } = await engine.berth(["build", "-q", "-t", "x", ...flags, source.path]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
  }
  // Kept in the store, and pushed later.
  const name = `${registry.host}/annotated:1`;
  await engine.ok(["build", "-q", "-t", name, "--annotation", "k=v", source.path]);
  await engine.ok(["push", name]);
  expect(await fetchManifest("annotated", "1")).toMatchObject({
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    annotations: { k: "v" },
  });
  await engine.ok(["build", "-q", "-t", name, source.path]);
  await engine.ok(["push", name]);
  expect((await fetchManifest<{ annotations?: unknown }>("annotated", "1")).annotations).toBeUndefined();
});

test("oci and docker archives of several platforms are indexes, local and tar have a directory for each", async () => {
  await using source = context();
  const archive = at("app.tar");
  const flags = ["--annotation", "index-descriptor:d=1", "-o", `type=oci,dest=${archive}`];
  await engine.ok(["build", "-q", ...TWO, "-t", "app:oci", ...flags, source.path]);
  const { stdout } = await run("tar", ["xOf", archive, "index.json"]);
  expect(json(stdout)["manifests"]).toMatchObject([
    {
      mediaType: "application/vnd.oci.image.index.v1+json",
      annotations: { d: "1", "io.containerd.image.name": "docker.io/library/app:oci" },
    },
  ]);
  expect((await engine.ok(["images", "-q", "app:oci"])).trim()).toBe("");
  const copied = await run("skopeo", ["copy", "--all", `oci-archive:${archive}`, `oci:${at("layout")}`]);
  expect(copied.exitCode).toBe(0);
  const docker = at("docker.tar");
  await engine.ok(["build", "-q", ...TWO, "-t", "app:docker", "-o", `type=docker,dest=${docker}`, source.path]);
  expect(await engine.ok(["load", "-i", docker])).toBe("Loaded image: app:docker");
  expect(
    await engine.ok(["image", "inspect", "--platform", "linux/arm64", "-f", "{{.Architecture}}", "app:docker"]),
  ).toBe("arm64");
  await engine.ok(["build", "-q", ...TWO, "-o", at("local"), source.path]);
  expect(readdirSync(at("local")).sort()).toEqual(["linux_amd64", "linux_arm64"]);
  expect(readFileSync(at("local/linux_arm64/target"), "utf8")).toBe("linux/arm64/\n");
  await engine.ok(["build", "-q", ...TWO, "-o", `type=tar,dest=${at("root.tar")}`, source.path]);
  expect((await run("tar", ["tf", at("root.tar")])).stdout.split("\n").sort()).toEqual(
    [
      "",
      ...["amd64", "arm64"].flatMap((arch) => ["", "shared", "target"].map((name) => `linux_${arch}/${name}`)),
    ].sort(),
  );
  await engine.ok(["build", "-q", "-o", `type=local,platform-split=true,dest=${at("one")}`, source.path]);
  expect(existsSync(at("one/linux_amd64/target"))).toBe(true);
  const merged = await engine.berth([
    "build",
    "-q",
    ...TWO,
    "-o",
    `type=local,platform-split=false,dest=${at("m")}`,
    source.path,
  ]);
  expect([merged.exitCode, merged.stderr]).toEqual([
    1,
    expect.stringContaining("cannot overwrite shared from linux/amd64 with linux/arm64 when split option is disabled"),
  ]);
});

test("a RUN for a platform that this machine does not run fails the whole build, and names it", async () => {
  await using source = makeContext({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\nRUN true\n" });
  const { stderr, exitCode } = await engine.berth(["build", "--platform", "linux/amd64,linux/s390x", source.path]);
  expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/linux\/s390x|executable file not found|not found/)]);
  const bad = await engine.berth(["build", "--platform", "linux/amd64,none/of/these/x", source.path]);
  expect([bad.exitCode, bad.stderr]).toEqual([1, expect.stringContaining("cannot parse platform specifier")]);
});

test("shared caches have the steps of all platforms, those within an index's images too", async () => {
  await using compiled = context();
  await using copied = makeContext({ Dockerfile: "FROM scratch\nARG TARGETARCH\nCOPY x /$TARGETARCH\n", x: "cached" });
  const name = `${registry.host}/cached`;
  for (const [path, to, from, cached] of [
    [compiled.path, `type=registry,ref=${name}:cache,mode=max`, `type=registry,ref=${name}:cache`, 8],
    [copied.path, "type=inline", `${name}:1`, 2],
  ] as const) {
    await engine.ok(["build", "-q", ...TWO, "-t", `${name}:1`, "--cache-to", to, "--push", path]);
    await engine.ok(["rmi", "-f", `${name}:1`]);
    await engine.ok(["builder", "prune", "-af"]);
    const args = ["build", "--progress", "plain", ...TWO, "--cache-from", from, "-t", `${name}:2`, path];
    const { stderr, exitCode } = await engine.berth(args);
    expect({ exitCode, cached: stderr.match(/CACHED/g)?.length, stderr }).toMatchObject({ exitCode: 0, cached });
    await engine.ok(["rmi", "-f", `${name}:2`]);
  }
});

test("SOURCE_DATE_EPOCH gives the same index again", async () => {
  await using source = makeContext({ Dockerfile: "FROM scratch\nARG TARGETARCH\nCOPY x /$TARGETARCH\n", x: "1" });
  const build = (dest: string): Promise<string> =>
    engine.ok([
      ...["build", "-q", "--no-cache", ...TWO, "--build-arg", "SOURCE_DATE_EPOCH=1000"],
      ...["-o", `type=oci,rewrite-timestamp=true,dest=${at(dest)}`, source.path],
    ]);
  await build("first.tar");
  await build("second.tar");
  expect(readFileSync(at("first.tar")).equals(readFileSync(at("second.tar")))).toBe(true);
});

test("save and load keep an index and its annotations, and a push sends it whole", async () => {
  await using source = context();
  const name = `${registry.host}/saved:1`;
  const notes = ["index:i=1", "m=2", "manifest-descriptor[linux/arm64]:d=3"].flatMap((note) => ["--annotation", note]);
  await engine.ok(["build", "-q", ...TWO, "-t", name, ...notes, source.path]);
  await engine.ok(["save", "-o", at("saved.tar"), name]);
  await engine.ok(["rmi", name]);
  expect(await engine.ok(["load", "-i", at("saved.tar")])).toBe(`Loaded image: ${name}`);
  expect(await engine.ok(["push", name])).not.toContain("only the available single-platform image was pushed");
  const index = await fetchManifest<Index>("saved", "1");
  expect(index).toMatchObject({ annotations: { i: "1" }, manifests: [{}, { annotations: { d: "3" } }] });
  const part = await fetchManifest<{ annotations: unknown; layers: { mediaType: string }[] }>(
    "saved",
    index.manifests[0]?.digest ?? "",
  );
  expect(part).toMatchObject({
    annotations: { m: "2" },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" }],
  });
});
