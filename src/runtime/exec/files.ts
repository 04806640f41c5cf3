import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { watchDirectory } from "#sys/watch-file.ts";
import { readIfThere } from "../bundle-files.ts";
import { lastLoggedError, runtimeError } from "../runtime-errors.ts";

/** How the directories of execs begin, in the container's bundle. */
const EXEC_PREFIX = "exec-";

/** Removes what the execs of a killed engine left: their environment stands in it. */
export function removeExecFiles(bundleDirectory: string): void {
  for (const name of readdirSync(bundleDirectory)) {
    if (name.startsWith(EXEC_PREFIX)) rmSync(join(bundleDirectory, name), { recursive: true, force: true });
  }
}

/** The files of one exec, in the container's bundle: removed with it in any case. */
export class ExecFiles {
  readonly #directory: string;
  readonly #command: string;
  #isRemoved = false;
  #failure: Error | undefined;

  /** `command`: the program that is to run, for messages. */
  constructor(bundleDirectory: string, command: string) {
    this.#command = command;
    this.#directory = join(bundleDirectory, `${EXEC_PREFIX}${randomBytes(8).toString("hex")}`);
    mkdirSync(this.#directory, { mode: 0o700 });
  }

  /** The exec has ended. */
  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  get process(): string {
    return join(this.#directory, "process.json");
  }
  get log(): string {
    return join(this.#directory, "log");
  }
  get pid(): string {
    return join(this.#directory, "pid");
  }

  /** Host pid of the process; undefined before it has started and after its end. */
  readPid(): number | undefined {
    const pid = Number.parseInt(readIfThere(this.pid) ?? "", 10);
    return Number.isNaN(pid) ? undefined : pid;
  }

  /** Why the process could not be started, when that is why the runtime ended with `code`. Removes the files. */
  failure(code: number): Error | undefined {
    const said = code === 0 ? "" : lastLoggedError(readIfThere(this.log) ?? "");
    this.remove();
    this.#failure = said ? runtimeError("exec", said, this.#command) : undefined;
    return this.#failure;
  }

  /** Resolves when runc has told the pid, which it does once the process runs, or `ended` settles. Throws what failed. */
  async started(ended: Promise<unknown>): Promise<void> {
    if (!this.isRemoved) {
      const { promise: told, resolve } = Promise.withResolvers<void>();
      const look = (): void => {
        if (this.readPid() !== undefined) resolve();
      };
      using _watch = watchDirectory(this.#directory, look);
      look();
      await Promise.race([told, ended]);
    }
    if (this.#failure) throw this.#failure;
  }

  /** Calls `use`, which handles its errors, with the pid as soon as runc has told it. */
  onPid(ended: Promise<unknown>, use: (pid: number) => void): void {
    const look = (): void => {
      const pid = this.readPid();
      if (pid !== undefined) use(pid);
    };
    // One that never ran, or has ended.
    this.started(ended).then(look, () => undefined);
  }

  remove(): void {
    this.#isRemoved = true;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
