import { randomBytes } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { runCommand } from "#sys/command.ts";
import { findProgram } from "#sys/find-program.ts";
import { DeviceCatalog } from "./cdi/device-catalog.ts";
import { ConmonRuntime } from "./conmon-runtime.ts";
import type { ContainerExit, ContainerSpec } from "./container-runtime.ts";
import { readLog } from "./logs/reader.ts";
import { RuntimeCatalog, type RuntimeSettings } from "./oci/catalog.ts";

/** For tests: a runtime on a fresh directory, with busybox roots. Disposing it removes all that it made. */
export class RuntimeTestBed implements AsyncDisposable {
  readonly directory: string;
  readonly runtime: ConmonRuntime;
  readonly exits: ContainerExit[] = [];
  /** May be changed by a test. */
  runtimes: RuntimeSettings = { defaultName: "", added: new Map() };
  readonly catalog: RuntimeCatalog = new RuntimeCatalog(() => this.runtimes);
  readonly #ids: string[] = [];
  /** Bun spins when a test waits for nothing but kernel events. */
  readonly #keepAlive = setInterval(() => undefined, 60_000);

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), "berth-runtime-"));
    this.runtime = this.newRuntime();
    this.runtime.onExit((exit) => this.exits.push(exit));
  }

  /** A further runtime object on the same directories, as after a restart of the engine. */
  newRuntime(): ConmonRuntime {
    return new ConmonRuntime({
      stateDirectory: join(this.directory, "state"),
      bundleDirectory: join(this.directory, "bundles"),
      exitDirectory: join(this.directory, "exits"),
      catalog: this.catalog,
      conmon: findProgram("conmon") ?? "conmon",
      devices: new DeviceCatalog([join(this.directory, "cdi")]),
      cgroupParent: this.cgroupParent,
    });
  }

  /** Of this directory: in namespaces of their own several tests have the same process ID at once. */
  get cgroupParent(): string {
    return `/berth-${basename(this.directory)}`;
  }

  /** A root with busybox, /etc/passwd and /etc/group. */
  async rootfs(): Promise<string> {
    const root = mkdtempSync(join(this.directory, "root-"));
    for (const name of ["bin", "etc", "tmp", "root"]) mkdirSync(join(root, name));
    copyFileSync("/bin/busybox", join(root, "bin/busybox"));
    chmodSync(join(root, "bin/busybox"), 0o755);
    chmodSync(root, 0o755);
    await runCommand("/usr/sbin/chroot", [root, "/bin/busybox", "--install", "-s", "/bin"]);
    writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n");
    writeFileSync(join(root, "etc/group"), "root:x:0:\nwheel:x:10:root\napp:x:1000:\naudio:x:29:app\n");
    return root;
  }

  /** A spec for a command on a fresh root; `changes` win. */
  async spec(args: readonly string[], changes: Partial<ContainerSpec> = {}): Promise<ContainerSpec> {
    const id = randomBytes(32).toString("hex");
    this.#ids.push(id);
    const logDirectory = join(this.directory, "logs", id);
    mkdirSync(logDirectory, { recursive: true });
    return {
      id,
      rootfs: changes.rootfs ?? (await this.rootfs()),
      args,
      env: ["PATH=/bin"],
      cwd: "/",
      user: "",
      hostname: id.slice(0, 12),
      terminal: false,
      openStdin: false,
      stdinOnce: false,
      logPath: join(logDirectory, "container.log"),
      network: { kind: "none" },
      mounts: [],
      readonlyRootfs: false,
      init: false,
      privileged: false,
      capAdd: [],
      capDrop: [],
      securityOpt: [],
      resources: {},
      shmSize: 0,
      ...changes,
    };
  }

  /** Creates and starts; resolves at once. */
  async start(spec: ContainerSpec): Promise<void> {
    await this.runtime.create(spec);
    await this.runtime.start(spec.id);
  }

  /** Resolves with the container's exit. */
  async exit(id: string): Promise<ContainerExit> {
    const known = this.exits.find((exit) => exit.id === id);
    if (known) return known;
    return await new Promise((resolve) => {
      this.runtime.onExit((exit) => {
        if (exit.id === id) resolve(exit);
      });
    });
  }

  /** Runs a command to its end and gives exit code and all output. */
  async run(args: readonly string[], changes: Partial<ContainerSpec> = {}): Promise<RunResult> {
    const spec = await this.spec(args, changes);
    await this.start(spec);
    const { exitCode } = await this.exit(spec.id);
    const result = { exitCode, stdout: await logText(spec, "stdout"), stderr: await logText(spec, "stderr") };
    await this.runtime.remove(spec.id);
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of this.#ids) await this.runtime.remove(id);
    await this.runtime.close();
    clearInterval(this.#keepAlive);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** All that a container has written to one stream. */
export async function logText(spec: ContainerSpec, stream: "stdout" | "stderr"): Promise<string> {
  let text = "";
  const options = { path: spec.logPath, follow: false, stdout: stream === "stdout", stderr: stream === "stderr" };
  for await (const batch of readLog(options)) {
    for (let index = 0; index < batch.count; index++) text += batch.text(index).toString();
  }
  return text;
}
