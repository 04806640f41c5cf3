import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Finished, type RunOptions, run } from "./child.ts";

/** Where tools/current-docker.sh puts Debian 13's docker, buildx, Compose and dockerd. */
export const CURRENT_DOCKER: string = join(import.meta.dirname, "..", "..", ".cache", "current-docker");

const PROGRAM = join(CURRENT_DOCKER, "docker");

const BUILDX = join(CURRENT_DOCKER, "cli-plugins", "docker-buildx");

export const HAS_CURRENT_DOCKER: boolean = existsSync(PROGRAM);

/** Debian 13's docker with its plugins against an engine, with a configuration of its own. Dispose it. */
export class CurrentDocker implements Disposable {
  readonly config: string;
  readonly socket: string;

  constructor(socket: string) {
    this.socket = socket;
    this.config = mkdtempSync(join(tmpdir(), "berth-docker-config-"));
    symlinkSync(join(CURRENT_DOCKER, "cli-plugins"), join(this.config, "cli-plugins"));
  }

  /** `docker ARGS`. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return run(PROGRAM, args, { ...options, env: this.#environment(options) });
  }

  /** `docker buildx ARGS` without docker, which would first ask every plugin who it is. */
  buildx(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return run(BUILDX, args, { ...options, env: this.#environment(options) });
  }

  /** `docker ARGS` in a terminal of its own, whose output is stdout. No word may need quotes. */
  inTerminal(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const command = [PROGRAM, ...args].join(" ");
    return run("script", ["-qec", command, "/dev/null"], { ...options, env: this.#environment(options) });
  }

  /** As `run`, but a failure is an error with the output. Returns stdout and stderr. */
  async ok(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(args, options);
    if (exitCode !== 0) throw new Error(`docker ${args.join(" ")} ended with ${exitCode}:\n${stdout}${stderr}`);
    return stdout + stderr;
  }

  #environment({ env }: RunOptions): Readonly<Record<string, string>> {
    return {
      DOCKER_HOST: `unix://${this.socket}`,
      DOCKER_CONFIG: this.config,
      BUILDKIT_PROGRESS: "plain",
      // buildx leaves the Dockerfiles that it got from stdin behind.
      TMPDIR: this.config,
      ...env,
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.config, { recursive: true, force: true });
  }
}
