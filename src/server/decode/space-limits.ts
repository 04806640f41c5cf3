import { InvalidParameterError } from "#errors/errors.ts";
import type { RequestContext } from "#server/request-context.ts";

/** The bounds of `POST /build/prune`, bytes. `keep-storage` is what `reserved-space` was called before API 1.48. */
export function spaceLimits(request: RequestContext): {
  readonly reservedSpace: number;
  readonly maxUsedSpace: number;
  readonly minFreeSpace: number;
} {
  return {
    reservedSpace: bytes(request, "reserved-space") || bytes(request, "keep-storage"),
    maxUsedSpace: bytes(request, "max-used-space"),
    minFreeSpace: bytes(request, "min-free-space"),
  };
}

function bytes(request: RequestContext, name: string): number {
  const text = request.text(name);
  if (text === "") return 0;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidParameterError(`${name} is in bytes and expects an integer, got ${text}`);
  }
  return value;
}
