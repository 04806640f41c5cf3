import { isIP } from "node:net";
import { InvalidParameterError } from "#errors/errors.ts";

export interface HostsOptions {
  readonly hostname: string;
  readonly domainname?: string;
  /** The container's addresses, one per network and family; none without a network of its own. */
  readonly addresses: readonly string[];
  /** Lines for others: links. */
  readonly others?: readonly HostLine[];
  /** `--add-host` values: `name:address` or `name=address`; the address `host-gateway` means `hostGateway`. */
  readonly extraHosts: readonly string[];
  /** Address at which containers reach the host: the bridge's gateway. */
  readonly hostGateway: string;
  /** Whether the container's loopback interface has IPv6; default: yes. */
  readonly hasIpv6?: boolean;
  /** Lines to start from instead of the defaults: the host's own file, for `--network host`. */
  readonly base?: string;
}

/** An address and the names for it. */
export interface HostLine {
  readonly address: string;
  readonly names: readonly string[];
}

/** What Docker writes into every /etc/hosts. */
const IPV4_LINES = ["127.0.0.1\tlocalhost"];

const IPV6_LINES = [
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::0\tip6-localnet",
  "ff00::0\tip6-mcastprefix",
  "ff02::1\tip6-allnodes",
  "ff02::2\tip6-allrouters",
];

/** The text of a container's /etc/hosts. Throws InvalidParameterError with Docker's words for a bad `--add-host`. */
export function renderHosts(options: HostsOptions): string {
  const defaults = [...IPV4_LINES, ...((options.hasIpv6 ?? true) ? IPV6_LINES : [])];
  const base = options.base === undefined ? defaults : options.base.trimEnd().split("\n");
  const extra = options.extraHosts.map((text) => {
    const { name, address } = parseExtraHost(text);
    return `${address === "host-gateway" ? options.hostGateway : address}\t${name}`;
  });
  const own = options.addresses.map((address) => `${address}\t${ownNames(options)}`);
  const others = (options.others ?? []).map(({ address, names }) => `${address}\t${names.join(" ")}`);
  return [...base, ...extra, ...others, ...own, ""].join("\n");
}

/** Splits an `--add-host` value; the address is an IP or `host-gateway`. Throws InvalidParameterError with Docker's words. */
export function parseExtraHost(text: string): { readonly name: string; readonly address: string } {
  // The first "=" or else the first ":" ends the name, so that IPv6 addresses pass. https://github.com/docker/cli/blob/master/opts/hosts.go
  const end = text.includes("=") ? text.indexOf("=") : text.indexOf(":");
  const name = text.slice(0, Math.max(end, 0));
  const address = text.slice(end + 1).replace(/^\[(.*)\]$/, "$1");
  if (name === "" || address === "" || /\s/.test(text)) {
    throw new InvalidParameterError(`bad format for add-host: "${text}"`);
  }
  if (address !== "host-gateway" && isIP(address) === 0) {
    throw new InvalidParameterError(`invalid IP address in add-host: "${address}"`);
  }
  return { name, address };
}

function ownNames({ hostname, domainname }: HostsOptions): string {
  if (domainname) return `${hostname}.${domainname} ${hostname}`;
  // A dotted hostname is reachable under its first label too.
  const dot = hostname.indexOf(".");
  return dot > 0 ? `${hostname} ${hostname.slice(0, dot)}` : hostname;
}
