import type { ContextOffer } from "#spec/berth-api.ts";
import { drain, readJson } from "../connection/response-body.ts";
import type { Engine, RequestBody } from "../engine.ts";
import type { PreparedContext } from "./prepare.ts";
import { readContents, rejectChanged } from "./send.ts";

export interface TransferredContext {
  /** For `POST /build?berthcontext=`. */
  readonly id: string;
  /** Bytes of file contents that had to be sent. */
  readonly bytes: number;
}

/** Lines are put together to pieces of about this many characters. */
const PIECE = 256 * 1024;

/**
 * Tells the engine what the context consists of and sends what it has not got. Throws InvalidParameterError when a file changed meanwhile,
 * and what the engine throws.
 */
export async function transferContext(
  engine: Engine,
  context: PreparedContext,
  signal?: AbortSignal,
): Promise<TransferredContext> {
  const offered = await engine.send({ method: "POST", path: "/berth/contexts", body: offerBody(context), signal });
  const offer = await readJson<ContextOffer>(offered);
  return { id: offer.id, bytes: await sendMissing(engine, context, offer, signal) };
}

/** Sends the contents that the engine's answer to an offer asks for. Returns how many bytes those are. Throws as `transferContext`. */
export async function sendMissing(
  engine: Engine,
  context: PreparedContext,
  { id, missing }: ContextOffer,
  signal: AbortSignal | undefined,
): Promise<number> {
  if (missing.length === 0) return 0;
  const files = missing.flatMap((index) => context.entries[index] ?? []);
  const changed: string[] = [];
  const contents = readContents(context.directory, files, (path, reason) => changed.push(`${path}: ${reason}`));
  const response = await engine.send({
    method: "PUT",
    path: `/berth/contexts/${id}`,
    body: { bytes: contents, type: "application/octet-stream" },
    signal,
  });
  await drain(response);
  rejectChanged(changed);
  return files.reduce((sum, file) => sum + file.s, 0);
}

/** What the context consists of: a header line and a line per entry. */
export function offerBody(context: PreparedContext): RequestBody {
  const type = "application/x-ndjson";
  const pieces = offerPieces(context);
  const { value: first = Buffer.alloc(0) } = pieces.next();
  const second = pieces.next();
  return second.done ? { whole: first, type } : { bytes: streamed([first, second.value], pieces), type };
}

async function* streamed(
  read: readonly Uint8Array[],
  rest: Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* read;
  yield* rest;
}

function* offerPieces({ header, entries }: PreparedContext): Generator<Uint8Array, void, undefined> {
  let piece = `${JSON.stringify(header)}\n`;
  for (const entry of entries) {
    piece += `${JSON.stringify(entry)}\n`;
    if (piece.length < PIECE) continue;
    yield Buffer.from(piece, "utf8");
    piece = "";
  }
  if (piece !== "") yield Buffer.from(piece, "utf8");
}
