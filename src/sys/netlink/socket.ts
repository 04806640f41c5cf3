import { closeSync, write } from "node:fs";
import { constants } from "node:os";
import { SystemError } from "#errors/errors.ts";
import { call, callError, tryCall } from "../libc.ts";
import { inNetworkNamespace } from "../network-namespace.ts";
import { type NetlinkMessage, nameOf, parseAttributes, parseMessages, u32, writeMessage } from "./message.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOL_NETLINK = 270;
/** Answers to a request have no copy of it. */
const NETLINK_CAP_ACK = 10;
/** Refusals have the kernel's words. */
const NETLINK_EXT_ACK = 11;

const NLM_F_REQUEST = 0x1;
const NLM_F_ACK = 0x4;
/** Of an answer: what was listed changed meanwhile. */
const NLM_F_DUMP_INTR = 0x10;
const NLM_F_DUMP = 0x300;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
/** In a refusal, behind its number and the header of the request: the kernel's words. */
const NLMSGERR_ATTR_MSG = 1;
const REFUSAL_ATTRIBUTES = 20;

/** The kernel's own datagrams are no larger. */
const READ_SIZE = 64 * 1024;
let buffer: Buffer | undefined;

/** How often a list is asked for that changes while it is read. */
const LIST_ATTEMPTS = 10;

/** A request to the kernel. */
export interface NetlinkRequest {
  /** The kernel's name of `type`, for errors: "RTM_NEWLINK". */
  readonly name: string;
  /** For errors: what it is about, such as an interface. */
  readonly subject: string;
  readonly type: number;
  /** Beyond NLM_F_REQUEST and NLM_F_ACK. */
  readonly flags: number;
  readonly body: Uint8Array;
}

/** The last turn of each protocol. */
const lastTurns = new Map<number, Promise<unknown>>();

/**
 * Runs `work` when no other turn of the protocol runs in this process. The kernel has one lock for all interfaces of all namespaces, and holds it for
 * tens of milliseconds where it deletes one: without turns every waiting call would occupy a thread of the pool, which has few.
 */
export function inTurn<T>(protocol: number, work: () => T | Promise<T>): Promise<T> {
  const turn = (lastTurns.get(protocol) ?? Promise.resolve()).then(work);
  lastTurns.set(
    protocol,
    turn.catch(() => undefined),
  );
  return turn;
}

/**
 * A netlink socket of this or another network namespace. The kernel does what it is asked before write(2) returns, and may wait for others meanwhile:
 * so write(2) runs in a thread of the pool, and costs no process. https://docs.kernel.org/userspace-api/netlink/intro.html
 */
export class NetlinkSocket implements Disposable {
  readonly #protocol: number;
  readonly #descriptor: number;
  #sequence = 0;
  #isClosed = false;

  /** `namespacePath`: the file that holds the namespace; this process's own without. Throws SystemCallError. */
  constructor(protocol: number, namespacePath?: string) {
    this.#protocol = protocol;
    const open = (): number => call("socket", "netlink", AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    this.#descriptor = namespacePath === undefined ? open() : inNetworkNamespace(namespacePath, open);
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK]) {
      call("setsockopt", "netlink", this.#descriptor, SOL_NETLINK, option, u32(1), 4);
    }
  }

  /** Exchanges that were begun are finished before. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    void inTurn(this.#protocol, () => closeSync(this.#descriptor));
  }

  /**
   * Makes all requests, in one call. The kernel goes on behind one that it refuses, so what depends on another's success goes into a call of
   * its own. Throws SystemCallError for the first that was refused.
   */
  async change(requests: readonly NetlinkRequest[]): Promise<void> {
    if (requests.length > 0) await this.#exchange(requests, NLM_F_ACK);
  }

  /** The bodies of the answers to a question about one thing. Throws SystemCallError: ENODEV and the like when there is none. */
  async ask(request: NetlinkRequest): Promise<readonly Uint8Array[]> {
    return bodiesOf(await this.#exchange([request], NLM_F_ACK));
  }

  /** The bodies of all things of a kind. */
  async list(request: NetlinkRequest): Promise<readonly Uint8Array[]> {
    for (let attempt = 1; ; attempt++) {
      const answers = await this.#exchange([request], NLM_F_DUMP);
      const isWhole = answers.every(({ flags }) => (flags & NLM_F_DUMP_INTR) === 0);
      if (isWhole || attempt === LIST_ATTEMPTS) return bodiesOf(answers);
    }
  }

  #exchange(requests: readonly NetlinkRequest[], flags: number): Promise<readonly NetlinkMessage[]> {
    return inTurn(this.#protocol, () => this.#send(requests, flags));
  }

  async #send(requests: readonly NetlinkRequest[], flags: number): Promise<readonly NetlinkMessage[]> {
    const open = new Map(requests.map((request) => [++this.#sequence, request]));
    const messages = [...open].map(([sequence, { type, flags: own, body }]) =>
      writeMessage({ type, flags: NLM_F_REQUEST | flags | own, sequence, body }),
    );
    await writeAll(this.#descriptor, Buffer.concat(messages));
    const answers: NetlinkMessage[] = [];
    let refusal: Error | undefined;
    while (open.size > 0) {
      for (const message of this.#receive()) {
        const request = open.get(message.sequence);
        if (!request) continue;
        if (message.type !== NLMSG_ERROR) answers.push(message);
        if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) continue;
        open.delete(message.sequence);
        refusal ??= refusalOf(message, request);
      }
    }
    if (refusal) throw refusal;
    return answers;
  }

  /** The answers are there when write(2) has returned. */
  #receive(): readonly NetlinkMessage[] {
    buffer ??= Buffer.allocUnsafe(READ_SIZE);
    const length = tryCall("read", this.#descriptor, buffer, READ_SIZE);
    if (length === -constants.errno.EAGAIN) throw new SystemError("cannot read netlink: the kernel does not answer");
    if (length <= 0) throw callError("read", length, "netlink");
    // Copied: the buffer serves the next datagram.
    return parseMessages(Buffer.from(buffer.subarray(0, length)));
  }
}

function bodiesOf(messages: readonly NetlinkMessage[]): readonly Uint8Array[] {
  return messages.filter(({ type }) => type !== NLMSG_DONE).map(({ body }) => body);
}

/** What an end of answers says: undefined for success. */
function refusalOf({ body }: NetlinkMessage, { name, subject }: NetlinkRequest): Error | undefined {
  const view = Buffer.from(body.buffer, body.byteOffset, body.length);
  const result = view.length >= 4 ? view.readInt32LE(0) : 0;
  if (result >= 0) return undefined;
  const words = nameOf(parseAttributes(view.subarray(REFUSAL_ATTRIBUTES)).get(NLMSGERR_ATTR_MSG));
  return callError(name, result, subject, words || undefined);
}

function writeAll(descriptor: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, (error) => (error ? reject(error) : resolve()));
  });
}
