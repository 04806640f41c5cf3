import type { LogBatch } from "./container-log.ts";
import { StdcopyWriter } from "./stdcopy.ts";

export interface EncodeLogOptions {
  /** Put each line's time before it, as `docker logs -t`. */
  readonly timestamps: boolean;
}

/** A batch as Docker's frames, one per piece, in one buffer. */
export function encodeLogFrames(batch: LogBatch, options: EncodeLogOptions): Buffer {
  const writer = new StdcopyWriter(batch.bytes.length);
  for (let index = 0; index < batch.count; index++) {
    const prefix = options.timestamps ? `${batch.timestamp(index)} ` : "";
    writer.add(batch.stream(index), batch.bytes, batch.textStart(index), batch.textEnd(index), prefix);
  }
  return writer.take();
}

/** A batch as plain bytes: the output of a container with a terminal. */
export function encodeLogBytes(batch: LogBatch, options: EncodeLogOptions): Buffer {
  const parts: Uint8Array[] = [];
  for (let index = 0; index < batch.count; index++) {
    if (options.timestamps) parts.push(Buffer.from(`${batch.timestamp(index)} `, "latin1"));
    parts.push(batch.text(index));
  }
  return Buffer.concat(parts);
}
