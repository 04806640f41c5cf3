import { cutToColumns } from "../output/terminal-look.ts";

/** Lines of a running step that may be shown below it. */
const LINES = 100;
/** A line without end (a progress bar drawn with escapes only) must not grow without bound. */
const MAX_LINE = 4096;

/** Escape sequences: CSI (colours, cursor), OSC (titles), and two-character ones. */
const ESCAPES = /\x1b(?:\[[0-9;:?<=>]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])/g;

/** The last lines that a step printed, as a simple terminal would show them: a carriage return overwrites, escapes are dropped. */
export class StepTerminal {
  #lines: string[] = [""];
  #column = 0;
  /** Whether anything was printed at all. */
  #isUsed = false;
  /** Characters printed: busy steps are shown first. */
  written = 0;

  get isUsed(): boolean {
    return this.#isUsed;
  }

  write(text: string): void {
    this.#isUsed = true;
    this.written += text.length;
    for (const part of text.replaceAll(ESCAPES, "").split(/(\r?\n|\r)/)) {
      if (part === "\n" || part === "\r\n") this.#newLine();
      else if (part === "\r") this.#column = 0;
      else if (part !== "") this.#put(part.replaceAll("\t", "    ").replaceAll(/[\x00-\x1f\x7f]/g, ""));
    }
  }

  /** At most `count` lines (six, or a hundred at most) that are not blank, the latest last, cut to `width` columns. */
  lines(width: number, count: number = 6): readonly string[] {
    return this.#lines
      .filter((line) => line.trim() !== "")
      .slice(-Math.max(1, count))
      .map((line) => cutToColumns(line, width).trimEnd());
  }

  #newLine(): void {
    this.#lines.push("");
    if (this.#lines.length > LINES + 1) this.#lines.shift();
    this.#column = 0;
  }

  #put(text: string): void {
    const line = this.#lines.pop() ?? "";
    const merged = line.slice(0, this.#column).padEnd(this.#column) + text + line.slice(this.#column + text.length);
    this.#lines.push(merged.slice(0, MAX_LINE));
    this.#column = Math.min(MAX_LINE, this.#column + text.length);
  }
}
