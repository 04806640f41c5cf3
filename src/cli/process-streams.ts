/** The process's own streams. They write to file descriptors: `process.stdout` alone costs 6 ms of start-up, `node:tty` 3 ms (Bun 1.4.5). */
import { fstatSync, write, writeSync } from "node:fs";
import { CancelledError, errorCode } from "#errors/errors.ts";
import type { Input, Output, Streams, TerminalSize } from "./streams.ts";

/** Nobody reads stdout any more: `berth ps | head -1`. The command ends quietly. */
export class ReaderGoneError extends CancelledError {}

/** stdin, stdout and stderr of this process. */
export function processStreams(): Streams {
  return {
    stdin: new DescriptorInput(),
    stdout: new DescriptorOutput(1),
    stderr: new DescriptorOutput(2),
    terminalSize,
  };
}

function terminalSize(): TerminalSize | undefined {
  // Progress goes to stderr, which may be a terminal when stdout is none.
  const stream = isTerminal(1) ? process.stdout : isTerminal(2) ? process.stderr : undefined;
  const [columns, rows] = stream?.getWindowSize() ?? [0, 0];
  return columns > 0 && rows > 0 ? { rows, columns } : undefined;
}

/** Major number of /dev/null and its like, which are character devices and no terminals. */
const MEMORY_DEVICES = 1;

/** Whether a descriptor is a terminal. Most are not, and that is seen without loading `node:tty`. */
function isTerminal(descriptor: 0 | 1 | 2): boolean {
  try {
    const found = fstatSync(descriptor);
    if (!found.isCharacterDevice() || found.rdev >> 8 === MEMORY_DEVICES) return false;
  } catch {
    return false;
  }
  return process.getBuiltinModule("node:tty").isatty(descriptor);
}

/** Short texts go out at once; what follows a full pipe waits for it without stopping signals from being handled. */
const SYNC_LIMIT = 4096;

class DescriptorOutput implements Output {
  readonly #descriptor: 1 | 2;

  constructor(descriptor: 1 | 2) {
    this.#descriptor = descriptor;
  }

  get isTerminal(): boolean {
    return isTerminal(this.#descriptor);
  }

  async write(data: string | Uint8Array): Promise<void> {
    let rest: Uint8Array = typeof data === "string" ? Buffer.from(data) : data;
    while (rest.length > 0) {
      try {
        rest = rest.subarray(await this.#writeSome(rest));
      } catch (cause) {
        const code = errorCode(cause);
        if (code === "EPIPE") throw new ReaderGoneError("nobody reads the output", { cause });
        if (code !== "EAGAIN") throw cause;
        // The descriptor is shared with a program that made it non-blocking; the stream object knows how to wait for it.
        return this.#writeToStream(rest);
      }
    }
  }

  #writeSome(bytes: Uint8Array): number | Promise<number> {
    if (bytes.length <= SYNC_LIMIT) return writeSync(this.#descriptor, bytes);
    return new Promise((resolve, reject) => {
      write(this.#descriptor, bytes, (error, written) => (error ? reject(error) : resolve(written)));
    });
  }

  #writeToStream(bytes: Uint8Array): Promise<void> {
    const stream = this.#descriptor === 1 ? process.stdout : process.stderr;
    return new Promise((resolve, reject) => {
      stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }
}

class DescriptorInput implements Input {
  get isTerminal(): boolean {
    return isTerminal(0);
  }

  async *bytes(): AsyncIterable<Uint8Array> {
    const { stdin } = process;
    try {
      // Who stops after a line may ask for another.
      for await (const chunk of stdin.iterator({ destroyOnReturn: false })) yield Buffer.from(chunk);
    } finally {
      stdin.pause();
    }
  }

  setRaw(): () => void {
    const { stdin } = process;
    if (!stdin.isTTY || stdin.isRaw) return () => undefined;
    stdin.setRawMode(true);
    stopOutputProcessing();
    return () => void stdin.setRawMode(false);
  }
}

/**
 * Raw mode of the runtime still turns "\n" into "\r\n" on output, which spoils what a full-screen program in the container draws.
 * Leaving raw mode restores this too.
 */
function stopOutputProcessing(): void {
  Bun.spawnSync(["stty", "-opost"], { stdin: "inherit", stdout: "ignore", stderr: "ignore" });
}
