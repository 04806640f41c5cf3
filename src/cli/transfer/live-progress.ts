/** Docker's moving picture of a pull or push, a line a layer, and one more for the whole. */
import { humanSize } from "#formats/go-units.ts";
import type { JsonMessage } from "#spec/docker-messages.ts";
import { cutToColumns } from "../output/terminal-look.ts";
import type { Output, TerminalSize } from "../streams.ts";
import type { MessageDisplay } from "./show-messages.ts";
import { TransferTotal } from "./transfer-total.ts";

const FRAME_MS = 100;
const BAR_MIN_COLUMNS = 110;
const BAR_WIDTH = 50;
const CLEAR_LINE = "\x1b[2K";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";

/** Draws a block of lines over and over in place, at most every 100 ms. Lines without an id end the block. */
export class LiveProgress implements MessageDisplay {
  readonly #out: Output;
  readonly #size: () => TerminalSize;
  readonly #rows: Map<string, string> = new Map();
  readonly #total: TransferTotal = new TransferTotal();
  #drawn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(out: Output, size: () => TerminalSize) {
    this.#out = out;
    this.#size = size;
  }

  async show(message: JsonMessage): Promise<void> {
    if (message.id === undefined) {
      await this.#endBlock();
      await this.#out.write(message.stream ?? `${message.status ?? ""}\n`);
      return;
    }
    const { current = 0, total = 0 } = message.progressDetail ?? {};
    this.#total.note(message.id, message.status ?? "", current, total);
    const bar = current > 0 || total > 0 ? ` ${progressBar(current, total, this.#size().columns)}` : "";
    this.#rows.set(message.id, `${message.id}: ${message.status ?? ""}${bar}`);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#draw(true).catch(() => undefined);
    }, FRAME_MS);
  }

  async finish(): Promise<void> {
    await this.#endBlock();
  }

  async #endBlock(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#rows.size === 0) return;
    await this.#draw(false);
    await this.#out.write(SHOW_CURSOR);
    this.#rows.clear();
    this.#drawn = 0;
  }

  /** Goes up over the last picture and draws the next. The last one of a block is without the line for the whole. */
  async #draw(live: boolean): Promise<void> {
    const { columns, rows: height } = this.#size();
    const summary = live ? this.#total.line(Date.now()) : undefined;
    // A picture taller than the screen could not be drawn over; what scrolled away is of no more interest.
    const lines = [...this.#rows.values(), ...(summary ? [summary] : [])].slice(live ? -(height - 1) : 0);
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : "";
    const body = lines.map((line) => `${CLEAR_LINE}${cutToColumns(line, columns)}\r\n`).join("");
    const rest = Math.max(0, this.#drawn - lines.length);
    const clearRest = rest > 0 ? `${`${CLEAR_LINE}\r\n`.repeat(rest)}\x1b[${rest}A` : "";
    this.#drawn = lines.length;
    await this.#out.write(`${HIDE_CURSOR}\r${up}${body}${clearRest}`);
  }
}

/** `[====>    ]  1.2MB/3.4MB`; the bar only where there is room. */
function progressBar(current: number, total: number, columns: number): string {
  const numbers = total > 0 && current <= total ? `${humanSize(current)}/${humanSize(total)}` : humanSize(current);
  if (total <= 0 || columns <= BAR_MIN_COLUMNS) return numbers.padStart(8);
  const filled = Math.min(BAR_WIDTH, Math.floor((current / total) * BAR_WIDTH));
  const bar = filled < BAR_WIDTH ? `${"=".repeat(filled)}>${" ".repeat(BAR_WIDTH - filled)}` : "=".repeat(BAR_WIDTH);
  return `[${bar}]  ${numbers}`;
}
