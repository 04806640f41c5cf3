import type { ContextOffer } from "#spec/berth-api.ts";
import type { Engine } from "../engine.ts";
import { drain, readJson } from "../response-body.ts";
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
  const { id, missing } = await offerContext(engine, context, signal);
  if (missing.length === 0) return { id, bytes: 0 };
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
  return { id, bytes: files.reduce((sum, file) => sum + file.s, 0) };
}

/** `POST /berth/contexts`: a header line and a line per entry. */
async function offerContext(
  engine: Engine,
  context: PreparedContext,
  signal: AbortSignal | undefined,
): Promise<ContextOffer> {
  const response = await engine.send({
    method: "POST",
    path: "/berth/contexts",
    body: { bytes: offerLines(context), type: "application/x-ndjson" },
    signal,
  });
  return readJson<ContextOffer>(response);
}

/** The offer as it goes over the wire. */
async function* offerLines({ header, entries }: PreparedContext): AsyncGenerator<Uint8Array, void, undefined> {
  let piece = `${JSON.stringify(header)}\n`;
  for (const entry of entries) {
    piece += `${JSON.stringify(entry)}\n`;
    if (piece.length < PIECE) continue;
    yield Buffer.from(piece, "utf8");
    piece = "";
  }
  if (piece !== "") yield Buffer.from(piece, "utf8");
}
