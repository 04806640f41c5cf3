import { InvalidParameterError } from "#errors/errors.ts";
import type { SolveStatus } from "#spec/solve-status.ts";
import { canRedraw } from "../output/terminal-look.ts";
import type { Output, TerminalSize } from "../streams.ts";
import { PlainPrinter } from "./plain-progress.ts";
import { progressColors, ttyLogLines } from "./progress-colors.ts";
import { ProgressTrace } from "./progress-trace.ts";
import { remarksText } from "./remarks-text.ts";
import { renderFrame } from "./tty-frame.ts";

/** Shows how a build goes on. */
export interface Progress {
  /** Takes updates. Resolves when what they made due is written, in one piece. */
  update(...statuses: readonly SolveStatus[]): Promise<void>;
  /** Writes what is left and restores the terminal. Call it however the build ends. */
  finish(): Promise<void>;
  /** What to say below it all: warnings, then why steps ran. "" for a display that shows none. */
  remarks(): string;
}

export interface ProgressOptions {
  /** Size of the terminal at this moment; undefined if it has none. */
  readonly size?: () => TerminalSize | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Which engine builds, for the first line on a terminal. */
  readonly description?: string;
  /** Show warnings with all that is known of them. */
  readonly isDebug?: boolean;
  /** The clock, milliseconds since the epoch. */
  readonly now?: () => number;
}

/** A terminal is drawn anew this often while a build runs, so that its clocks go on. */
const REDRAW_MS = 100;
const DEFAULT_SIZE: TerminalSize = { columns: 80, rows: 10 };

/**
 * The display for `--progress`: `auto` (tty on a terminal, plain otherwise), `plain`, `tty`, `quiet`/`none`, `rawjson`. Throws
 * InvalidParameterError for another mode, and for `tty` without a terminal.
 */
export function createProgress(mode: string, stream: Output, options: ProgressOptions = {}): Progress {
  switch (mode) {
    case "auto":
    case "":
      return canRedraw(stream, options.environment ?? {})
        ? new TtyProgress(stream, options)
        : new PlainProgress(stream, options);
    case "tty":
      if (!stream.isTerminal) throw new InvalidParameterError("failed to get console: output is not a terminal");
      return new TtyProgress(stream, options);
    case "plain":
      return new PlainProgress(stream, options);
    case "rawjson":
      return {
        update: (...statuses) => stream.write(statuses.map((status) => `${JSON.stringify(status)}\n`).join("")),
        finish: async () => {},
        remarks: () => "",
      };
    case "quiet":
    case "none":
      return { update: async () => {}, finish: async () => {}, remarks: () => "" };
    default:
      throw new InvalidParameterError(`invalid progress mode ${mode}`);
  }
}

class PlainProgress implements Progress {
  readonly #stream: Output;
  readonly #now: () => number;
  readonly #options: ProgressOptions;
  readonly #trace = new ProgressTrace();
  readonly #printer = new PlainPrinter(this.#trace);

  constructor(stream: Output, options: ProgressOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  async update(...statuses: readonly SolveStatus[]): Promise<void> {
    const now = this.#now();
    let due = "";
    for (const status of statuses) {
      this.#trace.update(status, now);
      due += this.#printer.print(now);
    }
    await this.#write(due);
  }

  async finish(): Promise<void> {
    await this.#write(this.#printer.flush());
  }

  remarks(): string {
    return remarksText(this.#trace, { isDebug: this.#options.isDebug ?? false, warningColor: "" });
  }

  async #write(text: string): Promise<void> {
    if (text !== "") await this.#stream.write(text);
  }
}

class TtyProgress implements Progress {
  readonly #stream: Output;
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  readonly #trace = new ProgressTrace();
  /** Lines of the picture on the screen. */
  #height = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Engine's clock minus ours. */
  #clockOffset: number | undefined;
  /** The write under way; a slow terminal skips pictures instead of queueing them. */
  #writing: Promise<void> | undefined;
  /** A write that failed outside a call of ours: thrown by the next one. */
  #failure: { readonly error: unknown } | undefined;

  constructor(stream: Output, options: ProgressOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  async update(...statuses: readonly SolveStatus[]): Promise<void> {
    if (this.#failure) throw this.#failure.error;
    const now = this.#now();
    for (const status of statuses) this.#trace.update(status, now);
    this.#trace.clearUpdates();
    if (this.#clockOffset === undefined && this.#trace.startTime !== undefined) {
      this.#clockOffset = this.#trace.startTime - now;
    }
    this.#timer ??= setTimeout(() => this.#tick(), REDRAW_MS);
  }

  async finish(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#writing;
    if (this.#failure) throw this.#failure.error;
    if (this.#trace.all.size === 0) return;
    await this.#stream.write(this.#picture(true));
  }

  remarks(): string {
    const { warning } = progressColors(this.#options.environment ?? {});
    return remarksText(this.#trace, { isDebug: this.#options.isDebug ?? false, warningColor: warning });
  }

  #tick(): void {
    this.#timer = setTimeout(() => this.#tick(), REDRAW_MS);
    if (this.#writing) return;
    this.#writing = this.#stream
      .write(this.#picture(false))
      .catch((error: unknown) => {
        this.#failure = { error };
        clearTimeout(this.#timer);
      })
      .finally(() => {
        this.#writing = undefined;
      });
  }

  /** Draws over the last picture. The cursor is hidden only while drawing: whatever ends the process, it is there. */
  #picture(isFinal: boolean): string {
    const { columns, rows } = this.#options.size?.() ?? DEFAULT_SIZE;
    const lines = renderFrame(this.#trace, {
      columns,
      rows,
      now: this.#now() + (this.#clockOffset ?? 0),
      isFinal,
      description: this.#options.description ?? "",
      colors: progressColors(this.#options.environment ?? {}),
      logLines: ttyLogLines(this.#options.environment ?? {}),
    });
    const up = this.#height > 0 ? `\x1b[${this.#height}A\r` : "\r";
    this.#height = lines.length;
    return `\x1b[?25l${up}${lines.map((line) => `${line}\x1b[K\n`).join("")}\x1b[J\x1b[?25h`;
  }
}
