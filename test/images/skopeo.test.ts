import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";

let engine: PrivateEngine;
let registry: PrivateRegistry;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "berth-skopeo-"));
  registry = await PrivateRegistry.start();
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(async () => {
  await engine.close();
  await registry.close();
  rmSync(directory, { recursive: true, force: true });
}, 120_000);

const at = (name: string): string => join(directory, name);

/** Debian 12's: it speaks API 1.22 to engines. */
async function copy(from: string, to: string, ...flags: readonly string[]): Promise<void> {
  const socket = `unix://${engine.socket}`;
  const hosts = [
    ...(from.startsWith("docker-daemon:") ? ["--src-daemon-host", socket] : []),
    ...(to.startsWith("docker-daemon:") ? ["--dest-daemon-host", socket] : []),
    ...(from.startsWith("docker:") ? ["--src-tls-verify=false"] : []),
    ...(to.startsWith("docker:") ? ["--dest-tls-verify=false"] : []),
  ];
  const { exitCode, stderr } = await run("skopeo", ["copy", ...hosts, ...flags, from, to]);
  expect({ from, to, exitCode, stderr }).toMatchObject({ exitCode: 0 });
}

test("skopeo copies out of the engine and into it, in every form", async () => {
  const image = "docker-daemon:busybox:latest";
  const id = await engine.ok(["image", "inspect", "-f", "{{.Id}}", "busybox"]);
  const forms = [
    `dir:${at("dir")}`,
    `docker-archive:${at("docker.tar")}:form:docker`,
    `oci-archive:${at("oci.tar")}:form:oci`,
    `docker://${registry.host}/form:registry`,
  ];
  for (const form of forms) {
    await copy(image, form);
    const [kind = ""] = form.split(":");
    await copy(form, `docker-daemon:back:${kind}`);
    expect(await engine.ok(["run", "--rm", "--network", "none", `back:${kind}`, "echo", kind])).toBe(kind);
    const copied = await engine.ok(["image", "inspect", "-f", "{{.Id}}", `back:${kind}`]);
    // skopeo writes an OCI config anew.
    if (kind !== "oci-archive") expect(copied).toBe(id);
  }
  expect(await engine.ok(["load", "-i", at("docker.tar")])).toBe("Loaded image: form:docker");
  expect(await engine.ok(["load", "-q", "-i", at("oci.tar")])).toBe("Loaded image: form:oci");
});

test("archives with several names, zstd layers and no name are loaded; what is none says why", async () => {
  await copy("docker-daemon:busybox:latest", `docker-archive:${at("names.tar")}:n:0`, "--additional-tag", "n:1");
  expect(await engine.ok(["load", "-i", at("names.tar")])).toBe("Loaded image: n:0\nLoaded image: n:1");
  const zstd = ["--dest-compress", "--dest-compress-format", "zstd"];
  await copy("docker-daemon:busybox:latest", `oci-archive:${at("zstd.tar")}:z:1`, ...zstd);
  expect(await engine.ok(["load", "-i", at("zstd.tar")])).toBe("Loaded image: z:1");
  await copy("docker-daemon:busybox:latest", `oci:${at("layout")}`);
  await run("tar", ["cf", at("layout.tar"), "-C", at("layout"), "."]);
  expect(await engine.ok(["load", "-i", at("layout.tar")])).toStartWith("Loaded image ID: sha256:");
  writeFileSync(at("x"), "x");
  await run("tar", ["cf", at("none.tar"), "-C", directory, "x"]);
  // Docker's SDKs look for it in the stream.
  const answer = await fetch("http://engine/images/load", { unix: engine.socket, method: "POST", body: "x" });
  const reason = "unexpected EOF: the tar archive is truncated";
  expect([answer.status, await answer.json()]).toEqual([200, { errorDetail: { message: reason }, error: reason }]);
  for (const [args, message] of [
    [["load", "-i", at("none.tar")], "invalid archive: does not contain a manifest.json"],
    [["load", "-i", directory], `read ${directory}: is a directory`],
    [["load", "-i", at("nothing")], "no such file or directory"],
    [["save", "-o", directory, "busybox"], `invalid output path: "${directory}" is a directory`],
    [["save", "-o", at("y"), "nosuch"], "No such image: nosuch\n"],
    [["save", "-o", at("y"), "nosuch:1"], "No such image: nosuch:1\n"],
  ] as const) {
    const { exitCode, stderr } = await engine.berth(args);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
  }
});
