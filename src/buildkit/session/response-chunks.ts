import type { ClientHttp2Stream } from "node:http2";

/** Bytes that may wait for the reader before the peer is told to stop. */
const HIGH_WATER = 256 * 1024;
const NO_ERROR = 0;

/**
 * What arrives on a stream, for one reader. gRPC servers written in Go end an answer with RST_STREAM(NO_ERROR) behind the trailers when the
 * request has not ended; Bun's own iterator then drops what it has not handed out (seen with Bun 1.4.5; Node's does not), so chunks are
 * taken off the stream as they come.
 */
export function responseChunks(stream: ClientHttp2Stream): () => AsyncIterableIterator<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  let isEnded = false;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const note = (): void => {
    wake?.();
    wake = undefined;
  };
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > HIGH_WATER) stream.pause();
    note();
  });
  stream.once("end", () => {
    isEnded = true;
    note();
  });
  stream.on("error", (error: Error) => {
    failure ??= error;
    note();
  });
  stream.once("close", () => {
    if (!isEnded && stream.rstCode !== NO_ERROR) failure ??= new Error(`stream closed with code ${stream.rstCode}`);
    isEnded = true;
    note();
  });
  return async function* read(): AsyncGenerator<Buffer, void, void> {
    for (;;) {
      const chunk = chunks.shift();
      if (chunk) {
        size -= chunk.length;
        if (size <= HIGH_WATER / 2 && stream.isPaused()) stream.resume();
        yield chunk;
      } else if (failure) throw failure;
      else if (isEnded) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  };
}
