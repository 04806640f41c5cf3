/** WebSocket frames, as a server writes and reads them. https://www.rfc-editor.org/rfc/rfc6455 */
import { createHash } from "node:crypto";
import { InvalidParameterError } from "#errors/errors.ts";

const HANDSHAKE_SALT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const FINAL = 0x80;
const RESERVED = 0x70;
const MASKED = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
/** Control frames carry no more. */
const MAX_CONTROL = 125;

/** Value of `Sec-WebSocket-Accept` for a client's key. */
export function acceptKey(key: string): string {
  return createHash("sha1").update(`${key}${HANDSHAKE_SALT}`).digest("base64");
}

/** One whole, unmasked frame. */
export function encodeFrame(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  if (length < LENGTH_16) return Buffer.concat([Buffer.from([FINAL | opcode, length]), payload]);
  if (length < 2 ** 16) {
    const header = Buffer.from([FINAL | opcode, LENGTH_16, 0, 0]);
    header.writeUInt16BE(length, 2);
    return Buffer.concat([header, payload]);
  }
  const header = Buffer.from([FINAL | opcode, LENGTH_64, 0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, payload]);
}

/** A piece of a message's payload, or a whole control frame. */
export interface FramePart {
  readonly kind: "data" | "close" | "ping" | "pong";
  readonly payload: Buffer;
}

interface OpenFrame {
  readonly opcode: number;
  readonly mask: Buffer;
  /** Bytes of the payload read so far, and in all. */
  read: number;
  readonly length: number;
}

/** Takes a client's bytes apart. Payload is given as it comes: what a client sends in one frame may be larger than memory. */
export class FrameParser {
  #rest: Buffer = Buffer.alloc(0);
  #frame: OpenFrame | undefined;
  #isInsideMessage = false;

  /** What is complete with this chunk. Throws InvalidParameterError for bytes that break the protocol. */
  push(chunk: Uint8Array): FramePart[] {
    this.#rest = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    const parts: FramePart[] = [];
    while (this.#frame || this.#readHeader()) {
      const part = this.#readPayload();
      if (!part) break;
      if (part.payload.length > 0 || part.kind !== "data") parts.push(part);
    }
    return parts;
  }

  #readHeader(): boolean {
    const [first = 0, second = 0] = this.#rest;
    const short = second & ~MASKED;
    const extended = short === LENGTH_64 ? 8 : short === LENGTH_16 ? 2 : 0;
    const size = 2 + extended + 4;
    if (this.#rest.length < size) return false;
    const length =
      extended === 8 ? Number(this.#rest.readBigUInt64BE(2)) : extended === 2 ? this.#rest.readUInt16BE(2) : short;
    const opcode = first & 0x0f;
    this.#check(first, second, opcode, length);
    this.#frame = { opcode, mask: this.#rest.subarray(size - 4, size), read: 0, length };
    this.#rest = this.#rest.subarray(size);
    return true;
  }

  #check(first: number, second: number, opcode: number, length: number): void {
    const isFinal = (first & FINAL) !== 0;
    if (first & RESERVED) throw broken("reserved bits are set");
    if (!(second & MASKED)) throw broken("a client's frame is not masked");
    if (opcode >= OPCODE.close) {
      if (opcode > OPCODE.pong) throw broken(`unknown opcode ${opcode}`);
      if (!isFinal || length > MAX_CONTROL) throw broken("a control frame is too long or in parts");
      return;
    }
    if (opcode > OPCODE.binary) throw broken(`unknown opcode ${opcode}`);
    if ((opcode === OPCODE.continuation) !== this.#isInsideMessage) throw broken("a continuation is out of place");
    this.#isInsideMessage = !isFinal;
  }

  /** Undefined when more bytes are needed: for data, when there are none; for a control frame, when it is not whole. */
  #readPayload(): FramePart | undefined {
    const frame = this.#frame;
    if (!frame) return undefined;
    const left = frame.length - frame.read;
    const isControl = frame.opcode >= OPCODE.close;
    const available = Math.min(left, this.#rest.length);
    if (left > 0 && (available === 0 || (isControl && available < left))) return undefined;
    const payload = Buffer.from(this.#rest.subarray(0, available));
    for (let index = 0; index < available; index++) {
      payload[index] = (payload[index] ?? 0) ^ (frame.mask[(frame.read + index) % 4] ?? 0);
    }
    this.#rest = this.#rest.subarray(available);
    frame.read += available;
    if (frame.read === frame.length) this.#frame = undefined;
    return { kind: kindOf(frame.opcode), payload };
  }
}

function kindOf(opcode: number): FramePart["kind"] {
  if (opcode === OPCODE.close) return "close";
  if (opcode === OPCODE.ping) return "ping";
  return opcode === OPCODE.pong ? "pong" : "data";
}

function broken(how: string): InvalidParameterError {
  return new InvalidParameterError(`cannot read WebSocket frame: ${how}`);
}
