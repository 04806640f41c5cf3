import type { EventMessage } from "#spec/docker-api.ts";

/** How many past events `since=` can replay; moby keeps 256. */
const KEPT = 1024;
/** A subscriber that falls this far behind is dropped, so that it cannot hold the engine's memory. */
const MAX_BACKLOG = 4096;

export type EventType = EventMessage["Type"];

/** Publishes what happens to containers, images, networks and volumes, in order, to any number of listeners. */
export class EventBus {
  readonly #recent: EventMessage[] = [];
  readonly #listeners = new Set<(event: EventMessage) => void>();
  #lastNano = 0n;

  /** Publishes one event. Times rise strictly, so that `since` can tell two events of one millisecond apart. */
  publish(type: EventType, action: string, id: string, attributes: Readonly<Record<string, string>> = {}): void {
    const timeNano = this.#nextNano();
    const event: EventMessage = {
      ...(type === "container"
        ? { status: action, id, ...(attributes["image"] ? { from: attributes["image"] } : {}) }
        : {}),
      ...(type === "image" ? { status: action, id } : {}),
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      scope: "local",
      time: Number(timeNano / 1_000_000_000n),
      timeNano: Number(timeNano),
    };
    this.#recent.push(event);
    if (this.#recent.length > KEPT) this.#recent.shift();
    for (const listener of this.#listeners) listener(event);
  }

  /** Calls `listener` with each event, at once. */
  on(listener: (event: EventMessage) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Events from `sinceSeconds` on (only new ones when undefined), until `signal` aborts. */
  async *subscribe(sinceSeconds: number | undefined, signal: AbortSignal): AsyncGenerator<EventMessage> {
    const backlog: EventMessage[] = sinceSeconds === undefined ? [] : this.past(sinceSeconds);
    let wake: (() => void) | undefined;
    const listener = (event: EventMessage): void => {
      backlog.push(event);
      wake?.();
    };
    const onAbort = (): void => wake?.();
    this.#listeners.add(listener);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      while (!signal.aborted && backlog.length < MAX_BACKLOG) {
        const event = backlog.shift();
        if (event) yield event;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      this.#listeners.delete(listener);
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Kept events at or after a time, oldest first. */
  past(sinceSeconds: number): EventMessage[] {
    return this.#recent.filter((event) => event.timeNano / 1e9 >= sinceSeconds);
  }

  #nextNano(): bigint {
    const now = BigInt(Date.now()) * 1_000_000n;
    this.#lastNano = now > this.#lastNano ? now : this.#lastNano + 1n;
    return this.#lastNano;
  }
}
