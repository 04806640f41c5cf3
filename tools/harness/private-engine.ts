import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Finished, type RunOptions, run } from "./child.ts";

/** The binary that `npm run build` makes. */
export const BERTH: string = process.env["BERTH_BINARY"] ?? join(import.meta.dirname, "..", "..", "dist", "berth");

export interface PrivateEngineOptions {
  readonly daemonArgs?: readonly string[];
  /** Use this directory instead of a fresh one: an engine that takes up where another ended. */
  readonly directory?: string;
  /** Keep what a reboot may take here instead of below the directory, as on a real machine: in a tmpfs. */
  readonly execRoot?: string;
  /** How many files the engine may have open. */
  readonly descriptors?: number;
  /** A command line that becomes the engine: what follows it is the engine's. */
  readonly wrapper?: readonly string[];
}

/**
 * An engine of one's own: data root, exec root, bridge and rules apart from any other on this machine. `close` stops it, cleans up and removes everything.
 */
export class PrivateEngine {
  readonly directory: string;
  readonly execRoot: string;
  readonly socket: string;
  readonly #daemonArgs: readonly string[];
  readonly #wrapper: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(options: PrivateEngineOptions) {
    this.directory = options.directory ?? mkdtempSync(join(tmpdir(), "berth-"));
    this.execRoot = options.execRoot ?? join(this.directory, "run");
    this.socket = join(this.execRoot, "berth.sock");
    this.#daemonArgs = options.daemonArgs ?? [];
    // prlimit(1) becomes the engine.
    const limits = options.descriptors ? ["prlimit", `--nofile=${options.descriptors}:${options.descriptors}`] : [];
    this.#wrapper = [...(options.wrapper ?? []), ...limits];
  }

  get dataRoot(): string {
    return join(this.directory, "data");
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  static async start(options: PrivateEngineOptions = {}): Promise<PrivateEngine> {
    const engine = new PrivateEngine(options);
    try {
      await engine.start();
      return engine;
    } catch (error) {
      // Its log is in the error.
      if (!options.directory) rmSync(engine.directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Starts the engine (again, after `stop` or `crash`) and waits until it answers. */
  async start(): Promise<void> {
    const log = createWriteStream(join(this.directory, "engine.log"), { flags: "a" });
    await new Promise((resolve) => log.once("open", resolve));
    const [program, ...args] = [...this.#wrapper, BERTH, "daemon", ...this.#rootArgs(), ...this.#daemonArgs];
    this.#child = spawn(program ?? BERTH, args, { stdio: ["ignore", log, log] });
    const exited = new Promise<never>((_, reject) => {
      this.#child?.once("exit", (code) => reject(new Error(`engine ended with ${code}:\n${this.log()}`)));
    });
    exited.catch(() => undefined);
    await Promise.race([this.#ready(), exited]);
    log.close();
  }

  /** Runs `berth ARGS` against it. */
  berth(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return run(BERTH, args, { ...options, env: { BERTH_HOST: `unix://${this.socket}`, ...options.env } });
  }

  /** As `berth`, but a failure is an error with the output. Returns stdout, trimmed. */
  async ok(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.berth(args, options);
    if (exitCode !== 0) throw new Error(`berth ${args.join(" ")} ended with ${exitCode}:\n${stdout}${stderr}`);
    return stdout.trim();
  }

  log(): string {
    const path = join(this.directory, "engine.log");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  /** SIGTERM: containers keep running. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  /** SIGKILL, as a crash. */
  crash(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** Takes back all that a stopped engine holds of this machine; its data stays. */
  async cleanUp(): Promise<void> {
    const { exitCode, stderr } = await run(BERTH, ["daemon", ...this.#rootArgs(), "--clean-up"]);
    if (exitCode !== 0) throw new Error(`clean-up ended with ${exitCode}:\n${stderr}`);
  }

  /** Ends everything and removes every trace. */
  async close(): Promise<void> {
    await this.stop();
    await this.cleanUp();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #rootArgs(): string[] {
    return ["--data-root", this.dataRoot, "--exec-root", this.execRoot];
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await exited;
  }

  /** Asks the socket until it answers; a harness may poll. */
  async #ready(): Promise<void> {
    const deadline = Date.now() + 60_000;
    while (Date.now() < deadline) {
      if (await answersPing(this.socket)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`engine did not answer in 60 s:\n${this.log()}`);
  }
}

/**
 * Whether an engine answers there. A connection alone says nothing: a child that a killed engine had forked holds its listening socket until
 * it execs, and the kernel accepts for it.
 */
function answersPing(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asking = get({ socketPath: path, path: "/_ping", agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asking.once("error", () => resolve(false));
  });
}
