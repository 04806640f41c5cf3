import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { errorCode } from "#errors/errors.ts";

export interface ResolvConfOptions {
  /** Text of the host's resolv.conf: `readHostResolvConf()`. */
  readonly host: string;
  /** `--dns`, `--dns-search`, `--dns-option`; each replaces the host's lines of its kind when not empty. */
  readonly dns: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
  /** The engine's own name service, which asks the other servers itself. */
  readonly nameService?: string | undefined;
}

/** Docker's, for a host that names no server a container can reach. */
const DEFAULT_SERVERS = ["8.8.8.8", "8.8.4.4"];

/** Where systemd-resolved keeps the real servers behind its stub at 127.0.0.53. */
const SYSTEMD_RESOLV_CONF = "/run/systemd/resolve/resolv.conf";

/**
 * The text of a container's /etc/resolv.conf. Servers on the host's loopback are left out: in the container that address is the
 * container itself. IPv6 servers too, as containers have no IPv6 address there.
 */
export function renderResolvConf(options: ResolvConfOptions): string {
  const hostServers = valuesOf(options.host, "nameserver").filter((server) => !isLoopback(server) && !isIPv6(server));
  const servers = options.nameService
    ? [options.nameService]
    : firstNonEmpty(options.dns, hostServers, DEFAULT_SERVERS);
  // The last `search` line counts (resolv.conf(5)); "--dns-search ." asks for none.
  const search = firstNonEmpty(options.search, lastLineValues(options.host, "search")).filter((name) => name !== ".");
  const wanted = firstNonEmpty(options.options, valuesOf(options.host, "options"));
  // A container's name has no dot: it is asked for as it is before any search domain is put behind it.
  const resolver =
    options.nameService && !wanted.some((option) => option.startsWith("ndots:")) ? [...wanted, "ndots:0"] : wanted;
  return [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length > 0 ? [`search ${search.join(" ")}`] : []),
    ...(resolver.length > 0 ? [`options ${resolver.join(" ")}`] : []),
    "",
  ].join("\n");
}

/** The servers that a resolv.conf names, in their order; Docker's if there are none. */
export function hostNameServers(text: string): readonly string[] {
  return firstNonEmpty(valuesOf(text, "nameserver"), DEFAULT_SERVERS);
}

/** The host's resolv.conf, or what systemd-resolved's stub stands for; "" if there is none. */
export async function readHostResolvConf(
  path = "/etc/resolv.conf",
  systemdPath: string = SYSTEMD_RESOLV_CONF,
): Promise<string> {
  const text = await readOptional(path);
  const servers = valuesOf(text, "nameserver");
  if (servers.length === 1 && servers[0] === "127.0.0.53") return (await readOptional(systemdPath)) || text;
  return text;
}

function valuesOf(text: string, keyword: string): readonly string[] {
  return linesOf(text, keyword).flat();
}

function lastLineValues(text: string, keyword: string): readonly string[] {
  return linesOf(text, keyword).at(-1) ?? [];
}

function linesOf(text: string, keyword: string): readonly (readonly string[])[] {
  return text
    .split("\n")
    .map((line) =>
      line
        .replace(/[#;].*$/, "")
        .trim()
        .split(/\s+/),
    )
    .filter(([first]) => first === keyword)
    .map(([, ...values]) => values);
}

function isLoopback(server: string): boolean {
  return server.startsWith("127.") || server === "::1";
}

function firstNonEmpty(...lists: readonly (readonly string[])[]): readonly string[] {
  return lists.find((list) => list.length > 0) ?? [];
}

async function readOptional(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  }
}
