import { type ChildProcess, spawn } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { removeCgroups } from "./cgroups.ts";
import { run } from "./child.ts";

export interface DockerDaemonOptions {
  /** What a reboot leaves: data, log, the client's configuration. */
  readonly directory: string;
  /** A short path, for sockets; in a tmpfs as /run is. */
  readonly runDirectory: string;
  /** Below this cgroup everything is, so that nothing of it stays. */
  readonly cgroupParent: string;
  /** Where dockerd and its containerd are looked for before PATH. */
  readonly programs?: string;
  /** A bridge that exists already, for containers that name no network, in place of docker0. */
  readonly bridge?: string;
}

/**
 * A dockerd with roots of its own: Debian's, or that of `programs`. It changes the network of the machine: give it a network namespace, and a
 * /run of its own, where no other containerd listens.
 */
export class DockerDaemon {
  readonly socket: string;
  readonly #options: DockerDaemonOptions;
  readonly #child: ChildProcess;

  private constructor(options: DockerDaemonOptions) {
    const { directory, runDirectory, cgroupParent, programs, bridge } = options;
    this.#options = options;
    this.socket = join(runDirectory, "docker.sock");
    const log = openSync(this.#log, "a");
    const roots = ["--data-root", join(directory, "data"), "--exec-root", join(runDirectory, "exec")];
    const rest = ["--pidfile", join(runDirectory, "dockerd.pid"), "--cgroup-parent", cgroupParent];
    const network = bridge ? ["--bridge", bridge] : [];
    this.#child = spawn(
      programs ? join(programs, "dockerd") : "dockerd",
      [...roots, ...rest, ...network, "-H", `unix://${this.socket}`],
      {
        env: programs ? { ...process.env, PATH: `${programs}:${process.env["PATH"]}` } : process.env,
        // Out of the terminal's reach: Ctrl-C is for the program that started it, which stops its engines in order.
        detached: true,
        stdio: ["ignore", log, log],
      },
    );
  }

  /** Starts it and waits until it answers `client`, a docker command line. */
  static async start(options: DockerDaemonOptions, client: string): Promise<DockerDaemon> {
    const daemon = new DockerDaemon(options);
    await daemon.#untilReady(client);
    return daemon;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get environment(): Readonly<Record<"DOCKER_HOST" | "DOCKER_CONFIG", string>> {
    return { DOCKER_HOST: `unix://${this.socket}`, DOCKER_CONFIG: join(this.#options.directory, "client") };
  }

  get #log(): string {
    return join(this.#options.directory, "dockerd.log");
  }

  /** Removes its containers with `client` and ends it. */
  async stop(client: string): Promise<void> {
    const env = this.environment;
    const { stdout } = await run(client, ["ps", "-aq"], { env });
    const containers = stdout.split("\n").filter(Boolean);
    if (containers.length > 0) await run(client, ["rm", "-f", ...containers], { env, timeout: 180_000 });
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = new Promise((resolve) => this.#child.once("exit", resolve));
      this.#child.kill("SIGTERM");
      await exited;
    }
    // It binds its data on itself where the mount there is not shared, and forgets that where it is itself a bind.
    await run("umount", [join(this.#options.directory, "data")]);
    removeCgroups(this.#options.cgroupParent);
  }

  async #untilReady(client: string): Promise<void> {
    const failed = new Promise<never>((_, reject) => this.#child.once("error", reject));
    failed.catch(() => undefined);
    const deadline = Date.now() + 30_000;
    while (Date.now() < deadline && this.#child.exitCode === null) {
      const { exitCode } = await Promise.race([run(client, ["version"], { env: this.environment }), failed]);
      if (exitCode === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    this.#child.kill("SIGKILL");
    throw new Error(`dockerd does not answer; its log ends with:\n${readFileSync(this.#log, "utf8").slice(-1500)}`);
  }
}
