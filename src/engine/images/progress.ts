import type { Listener, Replay } from "#lib/shared-work.ts";
import type { JsonMessage } from "#spec/docker-messages.ts";

export type ProgressListener = Listener<JsonMessage>;

/** What a latecomer must hear to draw the same picture: the last message per id, and all without one. */
export class ProgressReplay implements Replay<JsonMessage> {
  readonly #said = new Map<string, JsonMessage>();

  add(message: JsonMessage): void {
    this.#said.set(message.id ?? `#${this.#said.size}`, message);
  }

  values(): Iterable<JsonMessage> {
    return this.#said.values();
  }
}
