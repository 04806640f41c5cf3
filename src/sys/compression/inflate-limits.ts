import { InvalidParameterError } from "#errors/errors.ts";

/**
 * How far a stream may grow. Without such a bound a few kilobytes can fill a disk; a real layer compresses 2 to 10 times, a long run of
 * zeros about 1,000 times.
 */
export interface InflateLimits {
  /** Bytes of output that are always fine, whatever the ratio. */
  readonly freeBytes: number;
  /** Output per input byte that is refused beyond `freeBytes`. */
  readonly maxRatio: number;
  /** Bytes of output that are refused at any ratio. */
  readonly maxBytes: number;
}

export const DEFAULT_INFLATE_LIMITS: InflateLimits = {
  freeBytes: 1024 ** 3,
  maxRatio: 200,
  maxBytes: 1024 ** 4,
};

/** Throws InvalidParameterError, naming the limit, when `size` bytes out of `inputSize` bytes are too many. */
export function checkGrowth(size: number, inputSize: number, limits: InflateLimits): void {
  if (size > limits.maxBytes) {
    throw new InvalidParameterError(`decompressed data is larger than the limit of ${limits.maxBytes} bytes`);
  }
  if (size > limits.freeBytes && size > inputSize * limits.maxRatio) {
    throw new InvalidParameterError(
      `decompressed data grows beyond the limit of ${limits.maxRatio} times its compressed size: is it a decompression bomb?`,
    );
  }
}
