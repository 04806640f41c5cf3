import type { IncomingMessage } from "node:http";
import { ConflictError, NotFoundError } from "#errors/errors.ts";
import type { RequestContext } from "../request-context.ts";

/** How long a build waits for its context, and a context for its build, milliseconds. */
const ARRIVAL = 5000;

interface Slot {
  readonly upload: PromiseWithResolvers<IncomingMessage>;
  readonly taken: PromiseWithResolvers<void>;
  readonly done: PromiseWithResolvers<void>;
  isOffered: boolean;
}

/**
 * Contexts that come in a request of their own, beside that of the build which names them: docker's CLI sends stdin so, since the build's
 * own request has no body. https://github.com/docker/cli/blob/v20.10.24/cli/command/image/build_buildkit.go
 */
export class UploadedContexts {
  readonly #slots = new Map<string, Slot>();

  /** Keeps the request's body for the build `id` and answers when it has been read. Throws when no build comes for it. */
  async offer(id: string, request: RequestContext): Promise<void> {
    const slot = this.#slot(id);
    if (slot.isOffered) throw new ConflictError(`a context for build ${id} is there already`);
    slot.isOffered = true;
    slot.upload.resolve(request.request);
    try {
      await within(slot.taken.promise, request.signal, `no build took the context that was sent for it: ${id}`);
      await slot.done.promise;
      request.sendEmpty(200);
    } finally {
      this.#slots.delete(id);
    }
  }

  /** The body that was or will be sent for the build `id`. Throws NotFoundError when none comes. The caller calls `done` on every way out. */
  async take(id: string, signal: AbortSignal): Promise<{ readonly body: IncomingMessage; readonly done: () => void }> {
    const slot = this.#slot(id);
    try {
      const body = await within(slot.upload.promise, signal, `no context was sent for build ${id}`);
      slot.taken.resolve();
      return { body, done: slot.done.resolve };
    } catch (error) {
      this.#slots.delete(id);
      throw error;
    }
  }

  #slot(id: string): Slot {
    const known = this.#slots.get(id);
    if (known) return known;
    const slot = {
      upload: Promise.withResolvers<IncomingMessage>(),
      taken: Promise.withResolvers<void>(),
      done: Promise.withResolvers<void>(),
      isOffered: false,
    };
    this.#slots.set(id, slot);
    return slot;
  }
}

async function within<T>(promise: Promise<T>, signal: AbortSignal, message: string): Promise<T> {
  const stop = AbortSignal.any([signal, AbortSignal.timeout(ARRIVAL)]);
  const stopped = new Promise<never>((_, reject) => {
    stop.addEventListener("abort", () => reject(new NotFoundError(message)), { once: true });
  });
  return await Promise.race([promise, stopped]);
}
