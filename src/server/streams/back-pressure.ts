import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** Writes to a client. Resolves when it can take more, or has gone. */
export function writeTo(stream: Duplex | ServerResponse, bytes: Uint8Array | string): Promise<void> {
  if (stream.destroyed || stream.write(bytes)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.once("drain", done);
    stream.once("close", done);
  });
}
