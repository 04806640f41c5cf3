import type { JsonMessage } from "#spec/docker-api.ts";
import { errorAnswer } from "./error-status.ts";
import type { RequestContext, ResponseWriter } from "./request-context.ts";

/**
 * Answers with the JSON lines of a long job. The answer starts with the first line: a failure before it is an ordinary error with a status,
 * a failure after it is the last line. Lines queue while the client is slow, so that the job is not held up.
 */
export async function streamProgress(
  request: RequestContext,
  work: (send: (message: JsonMessage) => void) => Promise<void>,
): Promise<void> {
  let writer: ResponseWriter | undefined;
  let written = Promise.resolve();
  const send = (message: JsonMessage): void => {
    writer ??= request.stream("application/json");
    const line = writer;
    written = written.then(() => line.writeJsonLine(message));
  };
  try {
    await work(send);
  } catch (error) {
    if (!writer) throw error;
    const { message } = errorAnswer(error).body;
    send({ errorDetail: { message }, error: message });
  }
  await written;
  (writer ?? request.stream("application/json")).end();
}
