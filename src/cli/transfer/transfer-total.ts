import { humanSize } from "#formats/go-units.ts";

interface LayerState {
  readonly current: number;
  readonly total: number;
  readonly done: boolean;
}

/** Adds up the layers of a transfer. */
export class TransferTotal {
  readonly #layers: Map<string, LayerState> = new Map();
  readonly #started: number = Date.now();
  #reused = 0;

  /** Takes in one message. */
  note(id: string, status: string, current: number, total: number): void {
    if (status === "Already exists" || status === "Layer already exists") this.#reused++;
    if (status !== "Downloading" && status !== "Pushing") {
      const layer = this.#layers.get(id);
      // What comes after the download counts other bytes.
      if (layer && !layer.done) this.#layers.set(id, { ...layer, current: layer.total, done: true });
      return;
    }
    if (total > 0) this.#layers.set(id, { current: Math.min(current, total), total, done: false });
  }

  /** `Total: 45.2MB/163MB 28% 52.3MB/s, 2s left, 3 layers reused`; undefined before anything moved. `now` in ms since the epoch. */
  line(now: number): string | undefined {
    let current = 0;
    let total = 0;
    for (const layer of this.#layers.values()) {
      current += layer.current;
      total += layer.total;
    }
    if (total === 0) return undefined;
    const seconds = Math.max(0.001, (now - this.#started) / 1000);
    const speed = current / seconds;
    const left = speed > 0 ? Math.ceil((total - current) / speed) : undefined;
    const parts = [
      `${humanSize(current)}/${humanSize(total)} ${Math.floor((current / total) * 100)}% ${humanSize(speed, 3)}/s`,
      ...(left === undefined ? [] : [`${left}s left`]),
      ...(this.#reused === 0 ? [] : [`${this.#reused} ${this.#reused === 1 ? "layer" : "layers"} reused`]),
    ];
    return `Total: ${parts.join(", ")}`;
  }
}
