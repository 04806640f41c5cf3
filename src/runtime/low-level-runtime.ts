import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "#errors/errors.ts";
import { childExit, startChild } from "#sys/command.ts";
import type { RuntimeProgram } from "./container-runtime.ts";
import { openStartGate, removeStopped, START_FIFO } from "./runc-shortcuts.ts";
import { lastLoggedError, type RuntimeAction, runtimeError } from "./runtime-errors.ts";

/** Enough of a runtime's words for a message. */
const LONGEST_COMPLAINT = 16 * 1024;

/** Short calls of runc or crun on containers that exist. */
export class LowLevelRuntime {
  readonly program: RuntimeProgram;
  /** `--root`: where the runtime keeps its own state. */
  readonly root: string;

  constructor(program: RuntimeProgram, root: string) {
    this.program = program;
    this.root = root;
  }

  /** Lets a created container's process go on. Throws StartError or SystemError with the runtime's words. */
  async start(id: string): Promise<void> {
    if (this.program.name === "runc" && (await openStartGate(join(this.root, id)))) return;
    const { exitCode, said } = await this.#run(["start", id]);
    if (exitCode !== 0) throw runtimeError("start", said);
  }

  /** `resources`: a file with the OCI spec's object of that name. */
  async update(id: string, resources: string): Promise<void> {
    await this.#mustRun("update", ["--resources", resources, id]);
  }

  /** Removes cgroup and state of a container, alive or not. No error when it does not exist. */
  async delete(id: string): Promise<void> {
    if (this.program.name === "runc" && removeStopped(join(this.root, id))) return;
    await this.#mustRun("delete", ["--force", id]);
    this.forget(id);
  }

  /** The containers that have a directory here, be there state in it or not: a runtime that was killed leaves it empty. */
  list(): readonly string[] {
    return readdirSync(this.root);
  }

  /** Removes what a runtime that was killed left: a directory without state, which would make it refuse the id. */
  forget(id: string): void {
    rmSync(join(this.root, id), { recursive: true, force: true });
  }

  /** Whether the runtime has state of the container. */
  has(id: string): boolean {
    try {
      readFileSync(join(this.root, id, this.program.name === "runc" ? "state.json" : "status"));
      return true;
    } catch (error) {
      if (errorCode(error) === "ENOENT") return false;
      throw error;
    }
  }

  /** Whether a created container still waits for its start: both runtimes keep a FIFO of that name until then. */
  isWaiting(id: string): boolean {
    return existsSync(join(this.root, id, START_FIFO));
  }

  async #mustRun(action: RuntimeAction, args: readonly string[]): Promise<void> {
    const { exitCode, said } = await this.#run([action, ...args]);
    if (exitCode !== 0) throw runtimeError(action, said);
  }

  async #run(args: readonly string[]): Promise<{ readonly exitCode: number; readonly said: string }> {
    const child = startChild(this.program.path, ["--root", this.root, "--log-format", "json", ...args], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr?.on("data", (chunk) => {
      if (said.length < LONGEST_COMPLAINT) said += String(chunk);
    });
    const exitCode = await childExit(child, this.program.path);
    return { exitCode, said: lastLoggedError(said) || said.trim() };
  }
}
