/**
 * Netlink's framing: messages, and the attributes in them, in the machine's byte order, which is little on all that Berth runs on.
 * https://docs.kernel.org/userspace-api/netlink/intro.html
 */
const HEADER_SIZE = 16;
const ATTRIBUTE_HEADER_SIZE = 4;
const ALIGNMENT = 4;
const MAX_ATTRIBUTE = 0xffff;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER, in the type. */
const TYPE_MASK = 0x3fff;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Of the socket whose request it is, or whose request led to it; 0 of one that asks the kernel. */
  readonly port: number;
  readonly body: Uint8Array;
}

/** Its type, and its value: bytes, or the attributes that are nested in it. */
export type Attribute = readonly [type: number, value: Uint8Array | readonly Attribute[]];

/** The bytes of a message, padded so that another may follow. */
export function writeMessage({ type, flags, sequence, port, body }: NetlinkMessage): Buffer {
  const bytes = Buffer.alloc(aligned(HEADER_SIZE + body.length));
  bytes.writeUInt32LE(HEADER_SIZE + body.length, 0);
  bytes.writeUInt16LE(type, 4);
  bytes.writeUInt16LE(flags, 6);
  bytes.writeUInt32LE(sequence, 8);
  bytes.writeUInt32LE(port, 12);
  bytes.set(body, HEADER_SIZE);
  return bytes;
}

/** The messages of a datagram. What is cut short, which the kernel never sends, ends them. */
export function parseMessages(bytes: Buffer): readonly NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let offset = 0; offset + HEADER_SIZE <= bytes.length; ) {
    const size = bytes.readUInt32LE(offset);
    if (size < HEADER_SIZE || offset + size > bytes.length) break;
    messages.push({
      type: bytes.readUInt16LE(offset + 4),
      flags: bytes.readUInt16LE(offset + 6),
      sequence: bytes.readUInt32LE(offset + 8),
      port: bytes.readUInt32LE(offset + 12),
      body: bytes.subarray(offset + HEADER_SIZE, offset + size),
    });
    offset += aligned(size);
  }
  return messages;
}

/** Throws RangeError for a value of 64 KiB or more: attributes count in 16 bits. */
export function writeAttributes(attributes: readonly Attribute[]): Buffer {
  return Buffer.concat(
    attributes.map(([type, value]) => {
      const content = value instanceof Uint8Array ? value : writeAttributes(value);
      const size = ATTRIBUTE_HEADER_SIZE + content.length;
      if (size > MAX_ATTRIBUTE) throw new RangeError(`cannot write netlink attribute ${type}: ${size} bytes`);
      const bytes = Buffer.alloc(aligned(size));
      bytes.writeUInt16LE(size, 0);
      bytes.writeUInt16LE(type, 2);
      bytes.set(content, ATTRIBUTE_HEADER_SIZE);
      return bytes;
    }),
  );
}

/** The values of attributes by their types. Of several of one type, which lists have, the last; what is cut short ends them. */
export function parseAttributes(bytes: Uint8Array): ReadonlyMap<number, Buffer> {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const attributes = new Map<number, Buffer>();
  for (let offset = 0; offset + ATTRIBUTE_HEADER_SIZE <= view.length; ) {
    const size = view.readUInt16LE(offset);
    if (size < ATTRIBUTE_HEADER_SIZE || offset + size > view.length) break;
    const type = view.readUInt16LE(offset + 2) & TYPE_MASK;
    attributes.set(type, view.subarray(offset + ATTRIBUTE_HEADER_SIZE, offset + size));
    offset += aligned(size);
  }
  return attributes;
}

/** A name as the kernel wants it: with a NUL at its end. */
export function nameBytes(name: string): Buffer {
  return Buffer.from(`${name}\0`);
}

/** A name as the kernel gives it. */
export function nameOf(bytes: Buffer | undefined): string {
  const text = bytes?.toString("utf8") ?? "";
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

export function u8(value: number): Buffer {
  return Buffer.from([value]);
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Netfilter's byte order. */
export function u32be(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function aligned(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}
