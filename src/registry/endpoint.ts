import { BlockList, isIP } from "node:net";
import { isNamedLoopback } from "./hosts-file.ts";
import { isLoopbackAddress } from "./loopback.ts";

/** How the engine reaches registries; from daemon.json and flags. */
export interface RegistryOptions {
  /** Tried before Docker Hub, for its images only: `https://mirror.example[:port][/path]`. */
  readonly mirrors: readonly string[];
  /** `host[:port]` or CIDR: certificates are not verified, and plain http serves when https does not. */
  readonly insecureRegistries: readonly string[];
  readonly userAgent: string;
}

/** One way to reach the registry of a domain. */
export interface Endpoint {
  /** `https://host[:port]`. */
  readonly origin: string;
  /** What stands before `/v2/`: "", or a mirror's `/repository/hub`. */
  readonly path: string;
  readonly isMirror: boolean;
}

const HUB = "docker.io";
const HUB_ORIGIN = "https://registry-1.docker.io";

/**
 * The ways to reach a domain's registry, best first: mirrors before Docker Hub, and https before http where http is allowed at
 * all (as Docker does: this machine and the insecure registries).
 */
export function endpointsOf(domain: string, options: RegistryOptions): Endpoint[] {
  if (domain === HUB) {
    return [...options.mirrors.map(mirrorAt), { origin: HUB_ORIGIN, path: "", isMirror: false }];
  }
  const origins = isInsecure(domain, options) ? [`https://${domain}`, `http://${domain}`] : [`https://${domain}`];
  return origins.map((origin) => ({ origin, path: "", isMirror: false }));
}

function mirrorAt(url: string): Endpoint {
  const { origin, pathname } = new URL(url);
  return { origin, path: pathname.replace(/\/+$/, ""), isMirror: true };
}

/** A path below `/v2/` of an endpoint. */
export function apiUrl({ origin, path }: Endpoint, below: string): URL {
  return new URL(`${path}/v2/${below}`, origin);
}

/** Whether a registry (`host[:port]`) need not prove who it is. */
export function isInsecure(domain: string, options: RegistryOptions): boolean {
  const host = hostOf(domain);
  if (isLoopback(host) || options.insecureRegistries.includes(domain)) return true;
  const family = isIP(host);
  if (family === 0) return isNamedLoopback(host);
  const networks = options.insecureRegistries.filter((entry) => entry.includes("/"));
  return networks.some((network) => contains(network, host, family === 6 ? "ipv6" : "ipv4"));
}

/** Whether a host name or address means this machine. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "");
  return bare === "localhost" || isLoopbackAddress(bare);
}

function hostOf(domain: string): string {
  return new URL(`http://${domain}`).hostname.replace(/^\[|\]$/g, "");
}

function contains(network: string, address: string, family: "ipv4" | "ipv6"): boolean {
  const [base = "", bits = ""] = network.split("/");
  if (isIP(base) !== (family === "ipv6" ? 6 : 4)) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(bits), family);
  return list.check(address, family);
}
