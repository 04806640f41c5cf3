import type { SolveStatus, VertexLog } from "#spec/solve-status.ts";

/** Output that waits for a slow client, bytes; what comes beyond is left out of the client's stream. */
const MAX_WAITING = 8 * 1024 * 1024;

/**
 * A build's updates for one client, which reads at its own pace and never holds up the build: updates that wait are joined, and of a
 * step's output no more waits than a bound.
 */
export class StatusFeed implements AsyncIterable<SolveStatus> {
  #waiting: SolveStatus[] = [];
  #waitingBytes = 0;
  #lostBytes = 0;
  #isEnded = false;
  #wake: (() => void) | undefined;

  readonly push: (status: SolveStatus) => void = (status) => {
    if (this.#isEnded) return;
    const bytes = logBytes(status.logs ?? []);
    if (bytes > 0 && this.#waitingBytes + bytes > MAX_WAITING) {
      this.#lostBytes += bytes;
      const { logs: _, ...rest } = status;
      this.#waiting.push(rest);
    } else {
      this.#waitingBytes += bytes;
      this.#waiting.push(this.#lostBytes > 0 ? this.#withNotice(status) : status);
    }
    this.#wake?.();
  };

  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SolveStatus, void, void> {
    while (!this.#isEnded || this.#waiting.length > 0) {
      const waiting = this.#waiting;
      if (waiting.length === 0) await this.#arrival();
      else {
        this.#waiting = [];
        this.#waitingBytes = 0;
        yield joined(waiting);
      }
    }
  }

  #withNotice(status: SolveStatus): SolveStatus {
    const [first] = status.logs ?? [];
    if (!first) return status;
    const text = `\n[output clipped: ${this.#lostBytes} bytes left out, the client read too slowly]\n`;
    this.#lostBytes = 0;
    return { ...status, logs: [{ ...first, data: Buffer.from(text).toString("base64") }, ...(status.logs ?? [])] };
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

function logBytes(logs: readonly VertexLog[]): number {
  return logs.reduce((sum, { data }) => sum + data.length, 0);
}

function joined(statuses: readonly SolveStatus[]): SolveStatus {
  if (statuses.length === 1 && statuses[0]) return statuses[0];
  return {
    vertexes: statuses.flatMap(({ vertexes = [] }) => vertexes),
    statuses: statuses.flatMap((status) => status.statuses ?? []),
    logs: statuses.flatMap(({ logs = [] }) => logs),
    warnings: statuses.flatMap(({ warnings = [] }) => warnings),
  };
}
