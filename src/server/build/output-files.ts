import { randomBytes } from "node:crypto";
import type { OutputSink } from "#engine/builds/outputs/deliver.ts";
import { CancelledError, NotFoundError, SystemError } from "#errors/errors.ts";
import type { JsonMessage } from "#spec/docker-messages.ts";
import type { RequestContext } from "../request-context.ts";

interface Waiting {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * What builds have for their clients, until they fetch it: the build's answer names it, the client gets it on a connection of its own, and the
 * build goes on when it has all of it. See spec/berth-api.ts.
 */
export class OutputFiles {
  readonly #waiting = new Map<string, Waiting>();

  /** For one build, whose answer `tell` writes to. `signal`: the client has gone. */
  sink(signal: AbortSignal, tell: (message: JsonMessage) => void): OutputSink {
    const sink: OutputSink = {
      sendFiles: (index, open) => sink.send(index, open()),
      send: async (index, bytes) => {
        const token = randomBytes(16).toString("hex");
        const done = Promise.withResolvers<void>();
        const onAbort = (): void => done.reject(new CancelledError("context canceled"));
        signal.addEventListener("abort", onAbort, { once: true });
        if (signal.aborted) onAbort();
        this.#waiting.set(token, { bytes, done });
        try {
          tell({ id: "berth.output", aux: { Index: index, Token: token } });
          await done.promise;
        } finally {
          this.#waiting.delete(token);
          signal.removeEventListener("abort", onAbort);
        }
      },
    };
    return sink;
  }

  /** `GET /berth/outputs/{token}`, once. Throws NotFoundError. */
  async answer(request: RequestContext): Promise<void> {
    const token = request.param("token");
    const found = this.#waiting.get(token);
    if (!found) throw new NotFoundError(`No such build output: ${token}`);
    this.#waiting.delete(token);
    try {
      const writer = request.stream("application/x-tar");
      for await (const bytes of found.bytes) {
        request.signal.throwIfAborted();
        await writer.write(bytes);
      }
      writer.end();
      found.done.resolve();
    } catch (error) {
      const isGone = request.signal.aborted;
      found.done.reject(isGone ? new SystemError("the client stopped reading the output", { cause: error }) : error);
      throw error;
    }
  }
}
