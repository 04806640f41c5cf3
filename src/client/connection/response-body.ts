import { DataLossError } from "#errors/errors.ts";
import { LineSplitter } from "#lib/line-splitter.ts";
import type { EngineResponse } from "../engine.ts";

/** Lines of the engine's streams are messages; a longer one is not a message. */
const MAX_LINE = 16 * 1024 * 1024;

/** The whole body as JSON. The type is the caller's knowledge of the endpoint. Throws DataLossError when it is not JSON. */
export async function readJson<T>(response: EngineResponse): Promise<T> {
  const chunks: Buffer[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return parseJson<T>(Buffer.concat(chunks).toString("utf8"));
}

/** The messages of a stream of JSON lines, as they come. */
export async function* readJsonLines<T>(response: EngineResponse): AsyncGenerator<T, void, void> {
  for await (const messages of readJsonBatches<T>(response)) yield* messages;
}

/** As `readJsonLines`; those that came together are given together. */
export async function* readJsonBatches<T>(response: EngineResponse): AsyncGenerator<readonly T[], void, void> {
  const lines = new LineSplitter(MAX_LINE);
  for await (const chunk of response.body) {
    yield lines.push(chunk).flatMap((line) => (line.length > 1 ? parseJson<T>(line.toString("utf8")) : []));
  }
  const rest = lines.flush();
  if (rest && rest.toString("utf8").trim() !== "") yield [parseJson<T>(rest.toString("utf8"))];
}

/** Reads the answer to its end and drops it. */
export async function drain(response: EngineResponse): Promise<void> {
  for await (const _chunk of response.body);
}

function parseJson<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new DataLossError("cannot read the engine's answer: it is not JSON", { cause });
  }
}
