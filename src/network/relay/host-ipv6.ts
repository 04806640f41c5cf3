let answer: boolean | undefined;

/** Whether this host has IPv6 addresses to listen on: not where the kernel has none or `disable_ipv6` is set. */
export function hostHasIpv6(): boolean {
  answer ??= canListen();
  return answer;
}

function canListen(): boolean {
  try {
    Bun.listen({ hostname: "::1", port: 0, socket: { data: () => undefined } }).stop(true);
    return true;
  } catch {
    return false;
  }
}
