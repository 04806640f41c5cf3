/**
 * Which proxy a request goes through, by the variables that Go's programs read: HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in either case. The
 * runtime's own reading of them differs in what it takes for local. https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
 */
import { BlockList, isIP } from "node:net";
import { isLoopback } from "./endpoint.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy's URL, or undefined to connect directly. */
export function proxyFor(url: URL, environment: Environment): string | undefined {
  const proxy = variable(environment, url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (!proxy || isLoopback(url.hostname) || isExcluded(url, variable(environment, "NO_PROXY"))) return undefined;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

function variable(environment: Environment, name: string): string {
  return environment[name] || environment[name.toLowerCase()] || "";
}

function isExcluded(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return list
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== "" && excludes(entry, host, port));
}

/** `*`, `10.0.0.0/8`, `10.1.2.3`, `example.org` (and all below it), `.example.org` (only what is below it), each but the network with `:port`. */
function excludes(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  const network = /^(.+)\/(\d+)$/.exec(entry);
  if (network?.[1] && network[2]) return isWithin(host, network[1], Number(network[2]));
  const [, name = entry, wantedPort] = /^(.+?|\[.+\]):(\d+)$/.exec(isIP(entry) ? "" : entry) ?? [];
  if (wantedPort && wantedPort !== port) return false;
  const bare = name.replace(/^\[|\]$/g, "").replace(/^\*\./, ".");
  if (bare.startsWith(".")) return host.endsWith(bare);
  return host === bare || (isIP(host) === 0 && host.endsWith(`.${bare}`));
}

function isWithin(host: string, base: string, bits: number): boolean {
  const family = isIP(base);
  if (family === 0 || isIP(host) !== family || bits > (family === 6 ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(base, bits, family === 6 ? "ipv6" : "ipv4");
  return list.check(host, family === 6 ? "ipv6" : "ipv4");
}
