import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "#errors/errors.ts";
import { childExit, startChild } from "#sys/command.ts";
import { lastLoggedError, type RuntimeAction, runtimeError } from "../runtime-errors.ts";
import type { RuntimeProgram } from "./program.ts";
import { openStartGate, removeStopped, START_FIFO } from "./runc-shortcuts.ts";

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

  /** What comes before the command in every call. Ours are the last, for of two the last one counts. */
  get globalArgs(): readonly string[] {
    return [...this.program.args, "--root", this.root];
  }

  /** Lets a created container's process go on. Throws StartError or SystemError with the runtime's words. */
  async start(id: string): Promise<void> {
    if (this.program.kind === "runc" && (await openStartGate(join(this.root, id)))) return;
    const { exitCode, said } = await this.#run(["start", id]);
    if (exitCode !== 0) throw runtimeError("start", said);
  }

  /** `resources`: a file with the OCI spec's object of that name. */
  async update(id: string, resources: string): Promise<void> {
    await this.#mustRun("update", ["--resources", resources, id]);
  }

  /** Removes cgroup and state of a container, alive or not. No error when it does not exist. */
  async delete(id: string): Promise<void> {
    if (this.program.kind === "runc" && removeStopped(join(this.root, id))) return;
    await this.#mustRun("delete", ["--force", id]);
    rmSync(join(this.root, id), { recursive: true, force: true });
  }

  /** Whether the runtime has state of the container. */
  has(id: string): boolean {
    try {
      readFileSync(join(this.root, id, this.program.kind === "runc" ? "state.json" : "status"));
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
    const child = startChild(this.program.path, [...this.globalArgs, "--log-format", "json", ...args], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr?.on("data", (chunk) => {
      // What went wrong is said last.
      said = (said + String(chunk)).slice(-LONGEST_COMPLAINT);
    });
    const exitCode = await childExit(child, this.program.path);
    return { exitCode, said: lastLoggedError(said) || said.trim() };
  }
}
