import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
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
  directory = mkdtempSync(join(tmpdir(), "berth-outputs-"));
  registry = await PrivateRegistry.start();
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(async () => {
  await engine.close();
  await registry.close();
  rmSync(directory, { recursive: true, force: true });
}, 120_000);

const DOCKERFILE = `FROM busybox AS make
RUN mkdir -p /made/ro && echo hi > /made/f && ln /made/f /made/h && ln -s /etc /made/out && echo x > /made/ro/x && chmod 555 /made/ro
FROM scratch
COPY --from=make /made /
CMD ["/f"]
`;

const context = (): ReturnType<typeof makeContext> => makeContext({ Dockerfile: DOCKERFILE });
const at = (name: string): string => join(directory, name);
const skopeo = async (...args: string[]): Promise<string> => {
  const { stdout, stderr, exitCode } = await run("skopeo", args);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
};
/** Images in the store, unnamed ones as well. */
const images = async (): Promise<string[]> => (await engine.ok(["images", "-aq"])).split("\n").sort();

test("-o DIR fills a directory with the files, and leaves no image behind", async () => {
  await using source = context();
  const before = await images();
  const { stderr } = await engine.berth(["build", "--progress", "plain", "-o", at("local"), source.path]);
  expect(stderr).toMatch(/exporting to client directory\n#\d+ copying files \S+( \d\.\ds)? done\n#\d+ DONE/);
  expect(stderr).not.toContain("exporting to image");
  expect(readdirSync(at("local")).sort()).toEqual(["f", "h", "out", "ro"]);
  expect(readFileSync(at("local/f"), "utf8")).toBe("hi\n");
  expect(statSync(at("local/f")).ino).toBe(statSync(at("local/h")).ino);
  expect(lstatSync(at("local/out")).isSymbolicLink()).toBe(true);
  expect(lstatSync(at("local/ro")).mode & 0o777).toBe(0o555);
  // Once more over itself.
  await engine.ok(["build", "-q", "-o", `type=local,dest=${at("local")}`, source.path]);
  expect(await images()).toEqual(before);
});

test("-o - writes a tar to stdout, -o type=tar a file that is there only when it is whole", async () => {
  await using source = context();
  await engine.ok(["build", "-q", "-o", `type=tar,dest=${at("root.tar")}`, source.path]);
  const listed = await run("tar", ["tf", at("root.tar")]);
  expect(listed.stdout.split("\n").filter((name) => name !== "")).toEqual(["f", "h", "out", "ro/", "ro/x"]);
  const { stdout } = await run("sh", [
    "-c",
    `BERTH_HOST=unix://${engine.socket} ${join(import.meta.dirname, "../../dist/berth")} build -q -o - ${source.path} | tar t | wc -l`,
  ]);
  expect(stdout.trim()).toBe("5");
  const failed = await engine.berth(["build", "-q", "-o", `type=tar,dest=${at("none/x.tar")}`, source.path]);
  expect(failed.exitCode).toBe(1);
  expect(failed.stderr).toContain("failed to write the build's output: ENOENT");
  expect(existsSync(at("none"))).toBe(false);
});

test("oci and docker archives are what skopeo and load read, whatever their compression", async () => {
  await using source = context();
  const metadata = at("metadata.json");
  const build = (output: string, ...flags: string[]): Promise<string> =>
    engine.ok(["build", "-q", "-t", "out/it:1", "-o", output, "--metadata-file", metadata, ...flags, source.path]);
  const id = await build(`type=oci,dest=${at("oci.tar")}`);
  const found = JSON.parse(await skopeo("inspect", `oci-archive:${at("oci.tar")}:1`)) as { readonly Digest: string };
  const written = JSON.parse(readFileSync(metadata, "utf8"));
  expect(written).toMatchObject({
    "containerimage.config.digest": id,
    "containerimage.digest": found.Digest,
    "containerimage.descriptor": { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: found.Digest },
    "image.name": "docker.io/out/it:1",
  });
  // The same again, byte for byte.
  await build(`type=oci,dest=${at("oci2.tar")}`);
  expect(readFileSync(at("oci2.tar")).equals(readFileSync(at("oci.tar")))).toBe(true);
  await build(
    `type=oci,dest=${at("zstd.tar")},compression=zstd`,
    "--annotation",
    "manifest-descriptor:a.b=c",
    "--annotation",
    "d=e",
  );
  const raw = JSON.parse(await skopeo("inspect", "--raw", `oci-archive:${at("zstd.tar")}`));
  expect(raw.layers[0].mediaType).toBe("application/vnd.oci.image.layer.v1.tar+zstd");
  expect(raw.annotations).toEqual({ d: "e" });
  await skopeo("copy", `oci-archive:${at("zstd.tar")}`, `dir:${at("copied")}`);
  await build(`type=docker,dest=${at("docker.tar")},compression=gzip,compression-level=9`);
  await skopeo("inspect", `docker-archive:${at("docker.tar")}`);
  expect(await engine.ok(["load", "-i", at("docker.tar")])).toBe("Loaded image: out/it:1");
  expect(await engine.ok(["images", "-q", "--no-trunc", "out/it:1"])).toBe(id);
  await engine.ok(["rmi", "out/it:1"]);
  expect(await engine.ok(["load", "-i", at("zstd.tar")])).toContain("out/it:1");
  await engine.ok(["rmi", "out/it:1"]);
  await build(`type=oci,tar=false,dest=${at("layout")}`);
  expect(readdirSync(at("layout")).sort()).toEqual(["blobs", "index.json", "oci-layout"]);
});

test("--push, --load and several outputs of one build", async () => {
  await using source = context();
  const name = `${registry.host}/out/pushed:1`;
  const { stderr } = await engine.berth([
    ...["build", "--progress", "plain", "-t", name, "--push", "--load", "-o", at("beside")],
    ...["--metadata-file", at("pushed.json"), source.path],
  ]);
  expect(stderr).toContain(`pushing ${name}\n`);
  const inspected = await skopeo("inspect", "--tls-verify=false", `docker://${name}`);
  const { Digest: digest } = JSON.parse(inspected) as { readonly Digest: string };
  expect(JSON.parse(readFileSync(at("pushed.json"), "utf8"))["containerimage.digest"]).toBe(digest);
  expect(existsSync(at("beside/f"))).toBe(true);
  expect(await engine.ok(["images", "-q", name])).not.toBe("");
  const special = `type=image,push=true,name=${name}-z,compression=zstd,annotation.k=v`;
  await engine.ok(["build", "-q", "-o", special, source.path]);
  const raw = JSON.parse(await skopeo("inspect", "--raw", "--tls-verify=false", `docker://${name}-z`));
  expect([raw.annotations, raw.layers[0].mediaType]).toEqual([
    { k: "v" },
    "application/vnd.oci.image.layer.v1.tar+zstd",
  ]);
  await engine.ok(["rmi", name, `${name}-z`]);
});

test("SOURCE_DATE_EPOCH and rewrite-timestamp give the same image whenever it is built", async () => {
  await using source = makeContext({ Dockerfile: "FROM busybox\nRUN echo a > /a\n" });
  const build = (name: string): Promise<string> =>
    engine.ok([
      ...["build", "-q", "--no-cache", "--build-arg", "SOURCE_DATE_EPOCH=1000000000"],
      ...["-o", `type=oci,dest=${at(name)},rewrite-timestamp=true`, source.path],
    ]);
  const first = await build("r1.tar");
  await Bun.sleep(1100);
  expect(await build("r2.tar")).toBe(first);
  expect(readFileSync(at("r1.tar")).equals(readFileSync(at("r2.tar")))).toBe(true);
  const without = await engine.berth(["build", "-o", "type=oci,dest=/dev/null,rewrite-timestamp=true", source.path]);
  expect(without.stderr).toContain("rewrite-timestamp needs SOURCE_DATE_EPOCH");
});

test("outputs that cannot be are refused before anything runs", async () => {
  await using source = context();
  const refused = async (...flags: string[]): Promise<string> => {
    const { stderr, exitCode } = await engine.berth(["build", "-q", ...flags, source.path]);
    expect(exitCode).toBe(1);
    return stderr.trim();
  };
  expect(await refused("-o", "type=foo")).toEndWith('exporter "foo" could not be found');
  expect(await refused("-o", "dest=x,name=y")).toEndWith("type is required for output");
  expect(await refused("-o", "type=local")).toEndWith("dest is required for local exporter");
  expect(await refused("-o", "type=local,dest=-")).toEndWith("dest cannot be stdout for local exporter");
  expect(await refused("-o", `type=oci,dest=${directory}`)).toEndWith(`destination file ${directory} is a directory`);
  expect(await refused("-o", `type=oci,dest=${at("n")},compression=lz`)).toEndWith(
    "unsupported layer compression type: lz",
  );
  expect(await refused("-o", `type=oci,dest=${at("n")},nonsense=1`)).toEndWith(
    'unknown key "nonsense" for an output of type oci',
  );
  expect(await refused("--push")).toEndWith("tag is needed when pushing to registry");
  expect(await refused("-o", `type=oci,dest=${at("n")},annotation-index.a=b`)).toEndWith(
    "index annotations not supported for single platform export",
  );
  expect(existsSync(at("n"))).toBe(false);
});

test("mode=delete leaves only the output in a directory, and never takes where one is", async () => {
  await using source = context();
  mkdirSync(at("only/old/deep"), { recursive: true });
  writeFileSync(at("only/old/deep/x"), "");
  symlinkSync("/etc", at("only/link"));
  const output = `type=local,dest=${at("only")}`;
  await engine.ok(["build", "-q", "-o", `${output},mode=copy`, source.path]);
  expect(existsSync(at("only/old/deep/x"))).toBe(true);
  await engine.ok(["build", "-q", "-o", `${output},mode=delete`, source.path]);
  expect(readdirSync(at("only")).sort()).toEqual(["f", "h", "out", "ro"]);
  expect(readdirSync(at("only/ro"))).toEqual(["x"]);
  expect(existsSync("/etc/passwd")).toBe(true);
  for (const [flags, message] of [
    [`${output},mode=move`, 'invalid mode "move" for local exporter'],
    [`type=local,dest=${directory},mode=delete`, "would remove all else in"],
  ] as const) {
    const { exitCode, stderr } = await engine.berth(["build", "-q", "-o", flags, source.path], { cwd: at("only") });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
  }
});

test("push-by-digest gives no name, store=false keeps nothing here, levels and forms reach the registry", async () => {
  await using source = context();
  const repository = `${registry.host}/forms`;
  const metadata = at("forms.json");
  const before = await images();
  const build = async (attrs: string, ...flags: string[]): Promise<string> => {
    const args = ["build", "-q", "-o", `type=image,push=true,${attrs}`, "--metadata-file", metadata, ...flags];
    await engine.ok([...args, source.path]);
    return String((JSON.parse(readFileSync(metadata, "utf8")) as Record<string, unknown>)["containerimage.digest"]);
  };
  const manifest = async (reference: string): Promise<{ status: number; text: string }> => {
    const headers = {
      Accept: "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json",
    };
    const response = await fetch(`http://${registry.host}/v2/forms/manifests/${reference}`, { headers });
    return { status: response.status, text: await response.text() };
  };
  const digest = await build(`name=${repository},push-by-digest=true,name-canonical=true,store=false`);
  expect((await manifest(digest)).status).toBe(200);
  expect((await manifest("latest")).status).toBe(404);
  expect(await images()).toEqual(before);
  const zstd = await build(`name=${repository}:zstd,compression=zstd,compression-level=9,store=false`);
  expect(await manifest("zstd")).toEqual({ status: 200, text: expect.stringContaining("tar+zstd") });
  expect(zstd).not.toBe(digest);
  await build(`name=${repository}:docker,oci-mediatypes=false,store=false`);
  expect((await manifest("docker")).text).toContain("application/vnd.docker.image.rootfs.diff.tar.gzip");
  await build(`name=${repository}:oci,oci-mediatypes=true,unpack=true,dangling-name-prefix=x`);
  expect((await manifest("oci")).text).toContain("application/vnd.oci.image.layer.v1.tar+gzip");
  const tagged = await engine.berth([
    "build",
    "-q",
    "-o",
    `type=image,name=${repository}:1,push=true,push-by-digest=true`,
    source.path,
  ]);
  expect([tagged.exitCode, tagged.stderr]).toEqual([
    1,
    expect.stringContaining(`can't push tagged ref ${repository}:1 by digest`),
  ]);
  for (const [attrs, message] of [
    ["compression=zstd", "keeps layers uncompressed"],
    ["name-canonical=true", "name-canonical=true without push"],
    ["compression=estargz", "compression=estargz"],
  ] as const) {
    const { exitCode, stderr } = await engine.berth(["build", "-q", "-o", `type=image,name=x,${attrs}`, source.path]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
  }
});

test("builds that make the same image at once only to send it do not take it from one another", async () => {
  await using context = makeContext({ Dockerfile: "FROM scratch\nCOPY same /\n", same: "the same for all" });
  const before = await engine.ok(["images", "-aq"]);
  const archives = Array.from({ length: 12 }, (_, at) => join(context.path, `../same-${process.pid}-${at}.tar`));
  const built = await Promise.all(
    archives.map((archive) => engine.berth(["build", "-o", `type=tar,dest=${archive}`, context.path])),
  );
  for (const archive of archives) rmSync(archive, { force: true });
  expect(built.map(({ exitCode, stderr }) => (exitCode === 0 ? "" : stderr)).filter(Boolean)).toEqual([]);
  expect(await engine.ok(["images", "-aq"])).toBe(before);
});
