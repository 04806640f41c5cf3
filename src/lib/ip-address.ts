/** IP addresses of both families as numbers, and CIDR blocks: enough arithmetic for address pools. RFC 4632, RFC 4291, RFC 5952. */
export type Family = 4 | 6;

export interface IpAddress {
  readonly family: Family;
  readonly value: bigint;
}

export interface Subnet {
  readonly family: Family;
  /** First address of the block. */
  readonly base: bigint;
  readonly prefixLength: number;
}

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const DOTTED = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
const GROUPS = 8;

/** The bits of an address. */
function addressBits(family: Family): number {
  return family === 4 ? 32 : 128;
}

/** Reads an address without a zone; undefined if `text` is none. Leading zeros in IPv4 are refused: some readers take them for octal. */
export function parseAddress(text: string): IpAddress | undefined {
  if (DOTTED.test(text)) return { family: 4, value: parseDotted(text) };
  const value = parseGroups(text);
  return value === undefined ? undefined : { family: 6, value };
}

/** Dotted, or as RFC 5952 wants IPv6: lower case, the first longest run of zero groups as "::". */
export function formatAddress({ family, value }: IpAddress): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const groups = Array.from({ length: GROUPS }, (_, index) =>
    ((value >> BigInt(16 * (GROUPS - 1 - index))) & 0xffffn).toString(16),
  );
  const run = longestZeroRun(groups);
  if (run.length < 2) return groups.join(":");
  return `${groups.slice(0, run.start).join(":")}::${groups.slice(run.start + run.length).join(":")}`;
}

/** The 4 or 16 bytes of an address, as packets have them. Throws RangeError for what is none. */
export function addressBytes(address: IpAddress | string): Buffer {
  const parsed = typeof address === "string" ? parseAddress(address) : address;
  if (!parsed) throw new RangeError(`cannot write the address "${address}": it is none`);
  return Buffer.from(parsed.value.toString(16).padStart(addressBits(parsed.family) / 4, "0"), "hex");
}

/** The block that `text` ("172.17.0.0/16", "fd00::/64") lies in, its host bits cleared; undefined if `text` is no CIDR block. */
export function parseSubnet(text: string): Subnet | undefined {
  const [addressText = "", prefix = "", ...rest] = text.split("/");
  const address = parseAddress(addressText);
  if (!address || rest.length > 0 || !/^(?:0|[1-9]\d{0,2})$/.test(prefix)) return undefined;
  const prefixLength = Number(prefix);
  if (prefixLength > addressBits(address.family)) return undefined;
  return {
    family: address.family,
    base: address.value - (address.value % blockSize(address.family, prefixLength)),
    prefixLength,
  };
}

/** `172.17.0.0/16`. */
export function formatSubnet({ family, base, prefixLength }: Subnet): string {
  return `${formatAddress({ family, value: base })}/${prefixLength}`;
}

/** The last address of the block: IPv4's broadcast address. */
export function lastAddress({ family, base, prefixLength }: Subnet): bigint {
  return base + blockSize(family, prefixLength) - 1n;
}

/** Whether the address lies in the block. */
export function containsAddress(subnet: Subnet, { family, value }: IpAddress): boolean {
  return family === subnet.family && value >= subnet.base && value <= lastAddress(subnet);
}

/** Whether two blocks share an address. */
export function overlaps(left: Subnet, right: Subnet): boolean {
  return left.family === right.family && left.base <= lastAddress(right) && right.base <= lastAddress(left);
}

function blockSize(family: Family, prefixLength: number): bigint {
  return 1n << BigInt(addressBits(family) - prefixLength);
}

function parseDotted(text: string): bigint {
  return text.split(".").reduce((number, octet) => number * 256n + BigInt(octet), 0n);
}

function parseGroups(text: string): bigint | undefined {
  const [head = "", tail, ...rest] = text.split("::");
  // A dotted end is the end of the whole.
  const before = tail === undefined || !head.includes(".") ? groupsOf(head) : undefined;
  const after = groupsOf(tail ?? "");
  if (!before || !after || rest.length > 0) return undefined;
  const missing = GROUPS - before.length - after.length;
  // "::" stands for one group at least.
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const zeros = Array<bigint>(missing).fill(0n);
  return [...before, ...zeros, ...after].reduce((number, group) => (number << 16n) + group, 0n);
}

/** Groups of four hexadecimal digits, the last two perhaps as a dotted address; undefined if `text` is something else. */
function groupsOf(text: string): bigint[] | undefined {
  if (text === "") return [];
  const words = text.split(":");
  const groups: bigint[] = [];
  for (const [index, word] of words.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(word)) groups.push(BigInt(`0x${word}`));
    else if (index === words.length - 1 && DOTTED.test(word)) {
      const dotted = parseDotted(word);
      groups.push(dotted >> 16n, dotted & 0xffffn);
    } else return undefined;
  }
  return groups;
}

function longestZeroRun(groups: readonly string[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== "0") start = index + 1;
    else if (index + 1 - start > longest.length) longest = { start, length: index + 1 - start };
  }
  return longest;
}
