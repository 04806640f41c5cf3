/** Values of flags that are checked as they are read. */
import { InvalidParameterError } from "#errors/errors.ts";

/** What an address stands for when it is this word: the address of the host. */
const HOST_GATEWAY = "host-gateway";

/** `--add-host name:ip` or `name=ip`, as `name:ip`. Throws InvalidParameterError. */
export function checkExtraHost(value: string): string {
  const at = value.search(/[=:]/);
  if (at < 0) throw new InvalidParameterError(`bad format for add-host: "${value}"`);
  const name = value.slice(0, at);
  const address = value.slice(at + 1).replace(/^\[(.*)\]$/, "$1");
  if (name === "" || address === "") throw new InvalidParameterError(`bad format for add-host: "${value}"`);
  if (address !== HOST_GATEWAY && !isAddress(address)) {
    throw new InvalidParameterError(`invalid IP address in add-host: "${address}"`);
  }
  return `${name}:${address}`;
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/** Whether `text` is an IPv4 or IPv6 address. Without `node:net`, which costs 13 ms to load. */
export function isAddress(text: string): boolean {
  return IPV4.test(text) || (text.includes(":") && /^[0-9a-fA-F:.]+$/.test(text) && URL.canParse(`http://[${text}]/`));
}

/** `--dns`. Throws InvalidParameterError in docker's words. */
export function checkNameServer(value: string): string {
  const address = value.trim();
  if (!isAddress(address)) throw new InvalidParameterError(`IP address is not correctly formatted: ${value}`);
  return address;
}

/** Labels of letters, digits and inner hyphens, apart by dots. */
const DOMAIN =
  /^((?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*)\.?\s*$/;

/** `--dns-search`: a domain with a letter in it, or `.` for none. Throws InvalidParameterError in docker's words. */
export function checkSearchDomain(value: string): string {
  const text = value.replace(/^ +| +$/g, "");
  if (text === ".") return text;
  const domain = /[a-zA-Z]/.test(text) ? DOMAIN.exec(text)?.[1] : undefined;
  if (domain === undefined || domain.length >= 255) throw new InvalidParameterError(`${text} is not a valid domain`);
  return domain;
}

const ULIMITS = [
  "core",
  "cpu",
  "data",
  "fsize",
  "locks",
  "memlock",
  "msgqueue",
  "nice",
  "nofile",
  "nproc",
  "rss",
  "rtprio",
  "rttime",
  "sigpending",
  "stack",
];

export interface Ulimit {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

/** Reads `nofile=1024:2048`. Throws InvalidParameterError in go-units' words. */
export function parseUlimit(value: string): Ulimit {
  const match = /^([^=]+)=(-?\d+)(?::(-?\d+))?$/.exec(value);
  if (!match?.[1] || !match[2]) throw new InvalidParameterError(`invalid ulimit argument: ${value}`);
  if (!ULIMITS.includes(match[1])) throw new InvalidParameterError(`invalid ulimit type: ${match[1]}`);
  const soft = Number(match[2]);
  const hard = Number(match[3] ?? match[2]);
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    throw new InvalidParameterError(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  }
  return { Name: match[1], Soft: soft, Hard: hard };
}

/** {@link parseUlimit}, keeping the text. */
export function checkUlimit(value: string): string {
  parseUlimit(value);
  return value;
}
