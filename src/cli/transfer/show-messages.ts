import { SystemError } from "#errors/errors.ts";
import type { JsonMessage } from "#spec/docker-messages.ts";
import type { CommandContext } from "../grammar/command.ts";
import { canRedraw } from "../output/terminal-look.ts";
import type { Output } from "../streams.ts";
import { LiveProgress } from "./live-progress.ts";

export interface ShowOptions {
  readonly out: Output;
  /** Only errors. */
  readonly quiet: boolean;
  readonly context: Pick<CommandContext, "environment" | "streams">;
  /** Sees every `aux`. */
  readonly onAux?: (aux: unknown) => void;
}

/**
 * Shows the messages of a pull, push or load: bars on a terminal, elsewhere a line for each message that is no mere count.
 * Throws SystemError when the engine reports an error in the stream.
 */
export async function showMessages(messages: AsyncIterable<JsonMessage>, options: ShowOptions): Promise<void> {
  const display = options.quiet ? undefined : createDisplay(options);
  try {
    for await (const message of messages) {
      if (message.errorDetail || message.error) {
        throw new SystemError(message.errorDetail?.message ?? message.error ?? "unknown error");
      }
      if (message.aux !== undefined) options.onAux?.(message.aux);
      await display?.show(message);
    }
  } finally {
    await display?.finish();
  }
}

export interface MessageDisplay {
  show(message: JsonMessage): Promise<void>;
  /** Leaves the screen in order. Called once, also after an error. */
  finish(): Promise<void>;
}

function createDisplay(options: ShowOptions): MessageDisplay {
  const { out, context } = options;
  const { streams, environment } = context;
  const size = canRedraw(out, environment) ? streams.terminalSize() : undefined;
  return size ? new LiveProgress(out, () => streams.terminalSize() ?? size) : new PlainProgress(out);
}

/** https://github.com/moby/moby/blob/v28.2.2/pkg/jsonmessage/jsonmessage.go (Display, no terminal) */
class PlainProgress implements MessageDisplay {
  readonly #out: Output;

  constructor(out: Output) {
    this.#out = out;
  }

  async show(message: JsonMessage): Promise<void> {
    const { current = 0, total = 0 } = message.progressDetail ?? {};
    if (current > 0 || total > 0) return;
    const prefix = message.id ? `${message.id}: ` : "";
    if (message.stream) await this.#out.write(prefix + message.stream);
    else if (message.status !== undefined) await this.#out.write(`${prefix}${message.status}\n`);
  }

  async finish(): Promise<void> {}
}
