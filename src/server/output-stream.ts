import type { LogBatch } from "#formats/container-log.ts";
import { StdcopyWriter } from "#formats/stdcopy.ts";

export const RAW_STREAM = "application/vnd.docker.raw-stream";
export const MULTIPLEXED_STREAM = "application/vnd.docker.multiplexed-stream";

export interface OutputFormat {
  /** A terminal's bytes go out as they are; otherwise each piece is framed with its stream. */
  readonly terminal: boolean;
  readonly timestamps: boolean;
}

/** A batch of log lines as one buffer for the wire. */
export function encodeBatch(batch: LogBatch, format: OutputFormat): Uint8Array {
  return format.terminal ? rawBytes(batch, format) : framedBytes(batch, format);
}

function framedBytes(batch: LogBatch, format: OutputFormat): Uint8Array {
  const writer = new StdcopyWriter();
  for (let index = 0; index < batch.count; index++) {
    const prefix = format.timestamps ? `${batch.timestamp(index)} ` : "";
    writer.add(batch.stream(index), batch.bytes, batch.textStart(index), batch.textEnd(index), prefix);
  }
  return writer.take();
}

function rawBytes(batch: LogBatch, format: OutputFormat): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let index = 0; index < batch.count; index++) {
    if (format.timestamps) parts.push(Buffer.from(`${batch.timestamp(index)} `));
    parts.push(batch.text(index));
  }
  return Buffer.concat(parts);
}
