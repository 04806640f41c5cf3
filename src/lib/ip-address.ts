/** IPv4 addresses as unsigned 32-bit numbers and CIDR blocks: enough arithmetic for address pools. RFC 4632. */
export interface Ipv4Subnet {
  /** First address of the block. */
  readonly base: number;
  readonly prefixLength: number;
}

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const DOTTED = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);

/** The number of a dotted address; undefined if `text` is none. Leading zeros are refused: some readers take them for octal. */
export function parseIpv4(text: string): number | undefined {
  if (!DOTTED.test(text)) return undefined;
  return text.split(".").reduce((number, octet) => number * 256 + Number(octet), 0);
}

/** The dotted form of an address number. */
export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

/** The block that `text` ("172.17.0.0/16") lies in, its host bits cleared; undefined if `text` is no CIDR block. */
export function parseSubnet(text: string): Ipv4Subnet | undefined {
  const [address = "", prefix = "", ...rest] = text.split("/");
  const number = parseIpv4(address);
  if (number === undefined || rest.length > 0 || !/^(?:3[0-2]|[12]?\d)$/.test(prefix)) return undefined;
  const prefixLength = Number(prefix);
  return { base: number - (number % blockSize(prefixLength)), prefixLength };
}

/** `172.17.0.0/16`. */
export function formatSubnet(subnet: Ipv4Subnet): string {
  return `${formatIpv4(subnet.base)}/${subnet.prefixLength}`;
}

/** The last address of the block: its broadcast address. */
export function lastAddress(subnet: Ipv4Subnet): number {
  return subnet.base + blockSize(subnet.prefixLength) - 1;
}

/** Whether `address` lies in the block. */
export function containsAddress(subnet: Ipv4Subnet, address: number): boolean {
  return address >= subnet.base && address <= lastAddress(subnet);
}

/** Whether two blocks share an address. */
export function overlaps(left: Ipv4Subnet, right: Ipv4Subnet): boolean {
  return left.base <= lastAddress(right) && right.base <= lastAddress(left);
}

function blockSize(prefixLength: number): number {
  return 2 ** (32 - prefixLength);
}
