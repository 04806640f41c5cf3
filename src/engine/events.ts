import type { EventMessage } from "#spec/docker-system.ts";

/** How many past events `since=` can replay; moby keeps 256. */
const KEPT = 1024;
/** A subscriber that falls this far behind is dropped, so that it cannot hold the engine's memory. */
const MAX_BACKLOG = 4096;
/** Nanoseconds between two events of one moment: what a JSON number of this size can still tell apart. */
const STEP = 1000n;

export type EventType = EventMessage["Type"];

/** Publishes what happens to containers, images, networks and volumes, in order, to any number of listeners. */
export class EventBus {
  readonly #recent: EventMessage[] = [];
  readonly #listeners = new Set<(event: EventMessage) => void>();
  #lastNano = 0n;

  /** Publishes one event. Times rise strictly, so that `since` can tell two events of one millisecond apart. */
  publish(type: EventType, action: string, id: string, attributes: Readonly<Record<string, string>> = {}): void {
    const timeNano = this.#nextNano();
    // A prune is of none.
    const own = id === "" ? {} : { id };
    const event: EventMessage = {
      ...(type === "container"
        ? { status: action, ...own, ...(attributes["image"] ? { from: attributes["image"] } : {}) }
        : {}),
      ...(type === "image" ? { status: action, ...own } : {}),
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: sorted(attributes) },
      scope: "local",
      time: Number(timeNano / 1_000_000_000n),
      timeNano: Number(timeNano),
    };
    this.#recent.push(event);
    if (this.#recent.length > KEPT) this.#recent.shift();
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** Calls `listener` with each event, at once. */
  on(listener: (event: EventMessage) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /**
   * The events from this call on that `isWanted` lets through, until `signal` aborts or the reader is too far behind. What comes before the
   * first is asked for waits.
   */
  subscribe(isWanted: (event: EventMessage) => boolean, signal: AbortSignal): AsyncIterable<EventMessage> {
    const backlog: EventMessage[] = [];
    let wake: (() => void) | undefined;
    const listening = this.on((event) => {
      if (!isWanted(event)) return;
      backlog.push(event);
      if (backlog.length >= MAX_BACKLOG) listening[Symbol.dispose]();
      wake?.();
    });
    const onAbort = (): void => {
      listening[Symbol.dispose]();
      wake?.();
    };
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    return (async function* () {
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
        listening[Symbol.dispose]();
        signal.removeEventListener("abort", onAbort);
      }
    })();
  }

  /** Kept events from `since` to `until`, both included, oldest first; nanoseconds since the epoch. */
  past(since: number, until: number): readonly EventMessage[] {
    return this.#recent.filter(({ timeNano }) => timeNano >= since && timeNano <= until);
  }

  #nextNano(): bigint {
    const now = BigInt(Date.now()) * 1_000_000n;
    this.#lastNano = now > this.#lastNano ? now : this.#lastNano + STEP;
    return this.#lastNano;
  }
}

/** By name, as Go writes a map. */
function sorted(attributes: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
}
