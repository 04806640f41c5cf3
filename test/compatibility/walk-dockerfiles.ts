/**
 * walk-dockerfiles.ts ENGINE IMAGE_ARCHIVE NAMES: starts an engine (`berth` or `dockerd`), builds the Dockerfiles of dockerfile-cases.ts that have these names (a JSON
 * array) with buildx and prints what came of them as JSON, by name. It is run in namespaces of its own (walk.ts).
 */
import { createHash } from "node:crypto";
import { chmodSync, createReadStream, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { tarText } from "#formats/tar/tar-entry.ts";
import { readTar } from "#formats/tar/tar-reader.ts";
import { run } from "../../tools/harness/child.ts";
import { CURRENT_DOCKER, CurrentDocker } from "../../tools/harness/current-docker.ts";
import { DockerDaemon } from "../../tools/harness/docker-daemon.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { CASES, CONTEXT, type DockerfileCase } from "./dockerfile-cases.ts";
import { CORNERS, IGNORE_CONTEXTS } from "./dockerfile-corners.ts";

const [engine = "", archive = "", names = "[]"] = process.argv.slice(2);
const client = join(CURRENT_DOCKER, "docker");
const PARALLEL = 2;
/** Whoever waits for the walk sees that it goes on. */
const TOLD = 10;

/** What busybox brings along; and the mount points that BuildKit leaves in the layer of a RUN, which Berth does not. */
const NOT_COMPARED = /^(?:bin|sbin|usr)\/|^(?:linuxrc|bin|sbin|usr|root|dev|proc|sys|etc\/passwd|etc\/group)$/;

async function main(): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "dockerfiles-"));
  const context = await makeContext(join(home, "context"));
  const started = engine === "berth" ? await startBerth(home) : await startDocker(home);
  const docker = new CurrentDocker(started.socket);
  try {
    await docker.ok(["load", "-i", archive]);
    const results: Record<string, string> = {};
    const wanted: ReadonlySet<string> = new Set(JSON.parse(names));
    const waiting = [...[...CASES, ...CORNERS].filter(({ name }) => wanted.has(name)).entries()];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [index, one] = next;
        if (index % TOLD === 0) process.stderr.write(`${engine}: Dockerfile ${index} of ${wanted.size}\n`);
        results[one.name] = await outcome(docker, one, {
          context,
          output: join(home, `${index}.tar`),
          tag: `case${index}`,
        });
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    process.stdout.write(JSON.stringify(results));
  } finally {
    docker[Symbol.dispose]();
    await started.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

interface Started {
  readonly socket: string;
  stop(): Promise<void>;
}

async function startBerth(home: string): Promise<Started> {
  const berth = await PrivateEngine.start({ directory: home, execRoot: mkdtempSync("/run/dockerfiles-") });
  return { socket: berth.socket, stop: () => berth.close() };
}

async function startDocker(home: string): Promise<Started> {
  const runDirectory = mkdtempSync("/run/dockerfiles-");
  const options = { directory: home, runDirectory, cgroupParent: `/berth-${basename(home)}` };
  const daemon = await DockerDaemon.start(options, client);
  return { socket: daemon.socket, stop: () => daemon.stop(client) };
}

async function makeContext(root: string): Promise<string> {
  for (const [path, { content = "", mode = 0o644, link, directory }] of Object.entries({
    ...CONTEXT,
    ...IGNORE_CONTEXTS,
  })) {
    const full = join(root, path);
    mkdirSync(directory ? full : dirname(full), { recursive: true, mode: 0o755 });
    if (link !== undefined) symlinkSync(link, full);
    else {
      if (!directory) writeFileSync(full, content);
      chmodSync(full, mode);
    }
  }
  const pack = ["-C", root, "--owner=11", "--group=12", "--mtime=@0", "dir/sub", "tolink"];
  await run("tar", ["-cf", join(root, "arc.tar"), ...pack]);
  await run("tar", ["--use-compress-program=gzip -n", "-cf", join(root, "arc.tgz"), ...pack]);
  writeFileSync(join(root, "arc.txt"), "no archive\n");
  return root;
}

/** The files and the configuration, or the failure. */
async function outcome(
  docker: CurrentDocker,
  { lines, args = [] }: DockerfileCase,
  { context, output, tag }: { readonly context: string; readonly output: string; readonly tag: string },
): Promise<string> {
  const build = ["build", "-f", "-", "--provenance=false", ...args.map((word) => word.replace("CONTEXT", context))];
  const input = `${lines.join("\n")}\n`;
  // An image, for its configuration, and a tar of its files.
  const outputs = ["--load", "-t", tag, "-o", `type=tar,dest=${output}`];
  const built = await docker.buildx([...build, ...outputs, context], { input, timeout: 200_000 });
  if (built.exitCode !== 0) return failureOf(built.stderr);
  return `${await filesOf(output)}${await configOf(docker.socket, tag)}`;
}

/** Lines of the Dockerfile and the message, without what is another one each time. */
function failureOf(stderr: string): string {
  const lines = stderr.split("\n");
  const frame = lines.filter((line) => /^ +\d+ \| |^[^ ]*ockerfile:\d+$/.test(line));
  const message = lines.filter((line) => line.startsWith("ERROR: ")).at(-1) ?? stderr;
  return [
    ...frame,
    message
      // Which of the two buildx says depends on which of its calls hears of the failure first.
      .replace("failed to run Build function:", "failed to solve:")
      .replace(/checksum of ref \S+:/, "checksum of ref REF:")
      .replace(/\/\S*\/merged\//, "/"),
  ].join("\n");
}

async function filesOf(path: string): Promise<string> {
  const files: string[] = [];
  for await (const { entry, body } of readTar(createReadStream(path))) {
    const hash = createHash("sha256");
    for await (const chunk of body) hash.update(chunk);
    const name = tarText(entry.path).replace(/^\.?\/|\/$/g, "");
    if (name === "" || NOT_COMPARED.test(name)) continue;
    const mode = entry.mode.toString(8);
    const link = entry.linkPath === undefined ? "" : ` -> ${tarText(entry.linkPath)}`;
    const content = entry.type === "file" ? ` ${hash.digest("hex").slice(0, 12)}` : "";
    files.push(`${name} ${entry.type} ${mode} ${entry.uid}:${entry.gid}${link}${content}\n`);
  }
  return files.sort().join("");
}

async function configOf(socket: string, tag: string): Promise<string> {
  const response = await fetch(`http://engine/v1.45/images/${tag}/json`, { unix: socket });
  const image = (await response.json()) as Record<string, unknown>;
  const config = image["Config"] as Record<string, unknown>;
  const [created, author] = [String(image["Created"]), String(image["Author"])];
  const known = [
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Healthcheck",
    "Labels",
    "OnBuild",
    "Shell",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
  ];
  const shown = known.flatMap((key) => {
    const value = config[key];
    const isEmpty =
      value === undefined ||
      value === null ||
      value === "" ||
      JSON.stringify(value) === "[]" ||
      JSON.stringify(value) === "{}";
    return isEmpty ? [] : [`${key}=${JSON.stringify(value)}\n`];
  });
  return `${shown.join("")}${created.startsWith("2001") ? `created ${created}\n` : ""}${author ? `author ${author}\n` : ""}`;
}

await main();
