import { constants } from "node:os";
import { callError, tryCall } from "./libc.ts";

const RLIMIT_NOFILE = 7;

/**
 * Sets how many descriptors a process may have open (prlimit(2)). Nothing happens when it has ended, or is another user's and this process lacks
 * CAP_SYS_RESOURCE. Infinity is no limit. Throws SystemCallError when the kernel refuses the numbers.
 */
export function setDescriptorLimit(
  pid: number,
  { soft, hard }: { readonly soft: number; readonly hard: number },
): void {
  const limits = new BigUint64Array([rlimit(soft), rlimit(hard)]);
  const result = tryCall("prlimit", pid, RLIMIT_NOFILE, new Uint8Array(limits.buffer), null);
  if (result >= 0 || result === -constants.errno.ESRCH || result === -constants.errno.EPERM) return;
  throw callError("prlimit", result, String(pid));
}

/** RLIM_INFINITY is the largest number. */
function rlimit(value: number): bigint {
  return Number.isFinite(value) ? BigInt(value) : 2n ** 64n - 1n;
}
