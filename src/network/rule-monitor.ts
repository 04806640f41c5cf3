import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { startChild } from "#sys/command.ts";

/** The end of a transaction in nft's report: which process made it. */
const TRANSACTION = /^# new generation \d+ by process (\d+)/;
/** The kernel's queue ran over: anything may have happened. */
const LOST = /lost|ENOBUFS|overrun/i;

export interface RuleMonitorOptions {
  readonly table: string;
  /** Whether the process that made a transaction was the engine's own. */
  readonly isOwn: (pid: number) => boolean;
  /** Somebody else touched the table. */
  readonly onTouched: () => void;
}

/**
 * Tells when somebody else changes or flushes the engine's tables: `nft monitor`, a child that sleeps until the kernel has news. The kernel
 * ends it with the engine, however that ends.
 */
export class RuleMonitor implements Disposable {
  readonly #options: RuleMonitorOptions;
  readonly #child: ChildProcess;
  #touched = false;
  #disposed = false;

  constructor(options: RuleMonitorOptions) {
    this.#options = options;
    this.#child = startChild("setpriv", ["--pdeathsig", "KILL", "nft", "monitor"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    // Without nft or setpriv the rules stand as they are; publishing a port says what is missing.
    this.#child.on("error", () => undefined);
    this.#child.unref();
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on("line", (line) => this.#read(line));
      if ("unref" in stream && typeof stream.unref === "function") stream.unref();
    }
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#child.kill("SIGKILL");
  }

  #read(line: string): void {
    // Lines that were on their way when it was told to end.
    if (this.#disposed) return;
    const transaction = TRANSACTION.exec(line);
    if (!transaction) {
      if (line.split(/\s+/).includes(this.#options.table)) this.#touched = true;
      else if (LOST.test(line)) this.#options.onTouched();
      return;
    }
    const isForeign = this.#touched && !this.#options.isOwn(Number(transaction[1]));
    this.#touched = false;
    if (isForeign) this.#options.onTouched();
  }
}
