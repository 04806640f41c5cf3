import { errorAnswer } from "#server/error-status.ts";
import type { RequestContext, ResponseWriter } from "#server/request-context.ts";
import type { JsonMessage } from "#spec/docker-messages.ts";

/** Characters. A client that is this far behind will not catch up with a flood. */
const MAX_WAITING = 16 * 1024 * 1024;

/**
 * Answers with the JSON lines of a long job. The answer starts with the first line: a failure before it is an ordinary error with a status,
 * a failure after it, and with `failsInStream` every failure, is the last line. Lines queue while the client is slow, so that the job is not held up; `isBehind` tells when so much
 * waits that what the client can do without should be left out.
 */
export async function streamProgress(
  request: RequestContext,
  work: (send: (message: JsonMessage) => void, isBehind: () => boolean) => Promise<void>,
  { failsInStream = false }: { readonly failsInStream?: boolean } = {},
): Promise<void> {
  let lines: LineQueue | undefined;
  const send = (message: JsonMessage): void => {
    lines ??= new LineQueue(request.stream("application/json"));
    lines.push(`${JSON.stringify(message)}\r\n`);
  };
  try {
    await work(send, () => (lines?.waiting ?? 0) > MAX_WAITING);
  } catch (error) {
    if (!lines && !failsInStream) throw error;
    const { message } = errorAnswer(error).body;
    send({ errorDetail: { message }, error: message });
  }
  await (lines ?? new LineQueue(request.stream("application/json"))).end();
}

/**
 * Writes lines in order, those of one turn of the event loop as one chunk: a build that finds all in its cache says forty things before it
 * first waits for something, and a chunk for each would be work for both sides.
 */
class LineQueue {
  readonly #writer: ResponseWriter;
  #lines = "";
  #due: NodeJS.Immediate | undefined;
  #written = Promise.resolve();
  /** Characters that have not gone out. */
  waiting = 0;

  constructor(writer: ResponseWriter) {
    this.#writer = writer;
  }

  push(line: string): void {
    this.waiting += line.length;
    this.#lines += line;
    this.#due ??= setImmediate(() => this.#flush());
  }

  /** Resolves when all is written. */
  async end(): Promise<void> {
    clearImmediate(this.#due);
    this.#flush();
    await this.#written;
    this.#writer.end();
  }

  #flush(): void {
    this.#due = undefined;
    const text = this.#lines;
    this.#lines = "";
    if (text === "") return;
    this.#written = this.#written.then(async () => {
      await this.#writer.write(text);
      this.waiting -= text.length;
    });
  }
}
