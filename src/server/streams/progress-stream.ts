import { errorAnswer } from "#server/error-status.ts";
import type { RequestContext, ResponseWriter } from "#server/request-context.ts";
import type { JsonMessage } from "#spec/docker-messages.ts";

/** Characters. A client that is this far behind will not catch up with a flood. */
const MAX_WAITING = 16 * 1024 * 1024;

/**
 * Answers with the JSON lines of a long job. The answer starts with the first line: a failure before it is an ordinary error with a status,
 * a failure after it is the last line. Lines queue while the client is slow, so that the job is not held up; `isBehind` tells when so much
 * waits that what the client can do without should be left out.
 */
export async function streamProgress(
  request: RequestContext,
  work: (send: (message: JsonMessage) => void, isBehind: () => boolean) => Promise<void>,
): Promise<void> {
  let writer: ResponseWriter | undefined;
  let written = Promise.resolve();
  let waiting = 0;
  const send = (message: JsonMessage): void => {
    writer ??= request.stream("application/json");
    const target = writer;
    const line = `${JSON.stringify(message)}\r\n`;
    waiting += line.length;
    written = written.then(async () => {
      await target.write(line);
      waiting -= line.length;
    });
  };
  try {
    await work(send, () => waiting > MAX_WAITING);
  } catch (error) {
    if (!writer) throw error;
    const { message } = errorAnswer(error).body;
    send({ errorDetail: { message }, error: message });
  }
  await written;
  (writer ?? request.stream("application/json")).end();
}
