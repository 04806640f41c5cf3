import { formatHost, type ListenAddress } from "./options/hosts.ts";
import type { TlsFiles } from "./options/tls-files.ts";

/** What `info` and the log warn of: anyone who reaches such a listener is root on this machine. The words are dockerd's. */
export function exposureWarnings(hosts: readonly ListenAddress[], tls: TlsFiles | undefined): string[] {
  if (tls?.verify) return [];
  return hosts
    .filter(({ kind }) => kind === "tcp")
    .map((address) => {
      const place = formatHost(address).replace(/^tcp:/, tls ? "https:" : "http:");
      return (
        `WARNING: API is accessible on ${place} ${tls ? "without TLS client verification" : "without encryption"}.\n` +
        "         Access to the remote API is equivalent to root access on the host. Refer\n" +
        "         to the 'Docker daemon attack surface' section in the documentation for\n" +
        "         more information: https://docs.docker.com/go/attack-surface/"
      );
    });
}
