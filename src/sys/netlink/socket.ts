import { closeSync, write, writeSync } from "node:fs";
import { constants } from "node:os";
import { SystemError } from "#errors/errors.ts";
import { call, callError, type SystemCallError, tryCall } from "../libc.ts";
import { inNetworkNamespace } from "../network-namespace.ts";
import { type NetlinkMessage, nameOf, parseAttributes, parseMessages, u32, writeMessage } from "./message.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOL_NETLINK = 270;
/** struct sockaddr_nl. */
const SOCKADDR_SIZE = 12;
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

const SIOCGIFINDEX = 0x8933;
/** struct ifreq: a name of at most 16 bytes with its NUL, then a union, here the index. */
const IFNAMSIZ = 16;
const IFREQ_SIZE = 40;

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
  /** The kernel answers it without its lock, so it needs no turn. */
  readonly isLockFree?: true;
  /** The kernel holds its lock for tens of milliseconds: it waits until every CPU has stopped using what goes. */
  readonly isSlow?: true;
  /** The kernel answers only to refuse it, and with it all others of the call. */
  readonly isUnanswered?: true;
  readonly body: Uint8Array;
}

/** Works one after the other. */
class Turns {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

const turnsByProtocol = new Map<number, Turns>();

/**
 * Runs `work` when no other turn of the protocol runs in this process. The kernel has one lock for all interfaces of all namespaces, and holds it for
 * tens of milliseconds where it deletes one: without turns the engine would stand still meanwhile.
 */
export function inTurn<T>(protocol: number, work: () => T | Promise<T>): Promise<T> {
  const turns = turnsByProtocol.get(protocol) ?? new Turns();
  turnsByProtocol.set(protocol, turns);
  return turns.run(work);
}

/**
 * A netlink socket of this or another network namespace. The kernel does what it is asked before write(2) returns. Mostly that takes less time than the
 * way to another thread and back, which under load is tens of milliseconds, and all others wait for their turn: only what is slow goes that way.
 * https://docs.kernel.org/userspace-api/netlink/intro.html
 */
export class NetlinkSocket implements Disposable {
  readonly #protocol: number;
  readonly #descriptor: number;
  readonly #turns = new Turns();
  #sequence = 0;
  /** Exchanges that are not finished. */
  #running = 0;
  #isDisposed = false;

  /** `namespacePath`: the file that holds the namespace; this process's own without. Throws SystemCallError. */
  constructor(protocol: number, namespacePath?: string) {
    this.#protocol = protocol;
    const open = (): number => call("socket", "netlink", AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    this.#descriptor = namespacePath === undefined ? open() : inNetworkNamespace(namespacePath, open);
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK]) {
      call("setsockopt", "netlink", this.#descriptor, SOL_NETLINK, option, u32(1), 4);
    }
  }

  /** Its port, which the kernel names in what it tells others of the socket's changes. */
  bindPort(): number {
    const address = Buffer.alloc(SOCKADDR_SIZE);
    address.writeUInt16LE(AF_NETLINK, 0);
    // Port 0: the kernel chooses.
    call("bind", "netlink", this.#descriptor, address, address.length);
    call("getsockname", "netlink", this.#descriptor, address, u32(SOCKADDR_SIZE));
    return address.readUInt32LE(4);
  }

  /** Exchanges that were begun are finished before. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    if (this.#running === 0) closeSync(this.#descriptor);
  }

  /**
   * Makes all requests in one call, in their order. The kernel goes on behind one that it refuses: what does harm without the one before goes into a call
   * of its own. `tolerated`: refusals that are none, as `ENODEV` of what is to go. Throws SystemCallError for the first that was refused.
   */
  async change(requests: readonly NetlinkRequest[], tolerated: readonly string[] = []): Promise<void> {
    if (requests.length > 0) await this.#exchange(requests, NLM_F_ACK, tolerated);
  }

  /** The bodies of the answers to a question about one thing. Throws SystemCallError: ENODEV and the like when there is none. */
  async ask(request: NetlinkRequest): Promise<readonly Uint8Array[]> {
    return bodiesOf(await this.#exchange([request], NLM_F_ACK));
  }

  /**
   * The index of an interface in the socket's namespace, which the kernel tells at once, whoever changes interfaces meanwhile. Of one that should be
   * there: the kernel looks for a module that makes one of an unknown name. Throws SystemCallError (ENODEV). netdevice(7)
   */
  indexOf(interfaceName: string): number {
    const request = Buffer.alloc(IFREQ_SIZE);
    // One that is cut short would be another's.
    if (Buffer.byteLength(interfaceName) >= IFNAMSIZ)
      throw callError("SIOCGIFINDEX", -constants.errno.ENODEV, interfaceName);
    request.write(interfaceName);
    const result = tryCall("ioctl", this.#descriptor, SIOCGIFINDEX, request);
    if (result < 0) throw callError("SIOCGIFINDEX", result, interfaceName);
    return request.readInt32LE(IFNAMSIZ);
  }

  /** The bodies of all things of a kind. */
  async list(request: NetlinkRequest): Promise<readonly Uint8Array[]> {
    for (let attempt = 1; ; attempt++) {
      const answers = await this.#exchange([request], NLM_F_DUMP);
      const isWhole = answers.every(({ flags }) => (flags & NLM_F_DUMP_INTR) === 0);
      if (isWhole || attempt === LIST_ATTEMPTS) return bodiesOf(answers);
    }
  }

  async #exchange(
    requests: readonly NetlinkRequest[],
    flags: number,
    tolerated: readonly string[] = [],
  ): Promise<readonly NetlinkMessage[]> {
    this.#running++;
    try {
      const send = (): Promise<readonly NetlinkMessage[]> => this.#send(requests, flags, tolerated);
      const isLockFree = requests.every((request) => request.isLockFree);
      return await this.#turns.run(() => (isLockFree ? send() : inTurn(this.#protocol, send)));
    } finally {
      this.#running--;
      if (this.#isDisposed && this.#running === 0) closeSync(this.#descriptor);
    }
  }

  async #send(
    requests: readonly NetlinkRequest[],
    flags: number,
    tolerated: readonly string[],
  ): Promise<readonly NetlinkMessage[]> {
    const all = new Map(requests.map((request) => [++this.#sequence, request]));
    const messages = [...all].map(([sequence, { type, flags: own, body, isUnanswered }]) =>
      writeMessage({ type, flags: NLM_F_REQUEST | own | (isUnanswered ? 0 : flags), sequence, port: 0, body }),
    );
    const bytes = Buffer.concat(messages);
    if (requests.some(({ isSlow }) => isSlow)) await writeOffThread(this.#descriptor, bytes);
    else writeSync(this.#descriptor, bytes);
    const open = new Set([...all].flatMap(([sequence, { isUnanswered }]) => (isUnanswered ? [] : [sequence])));
    const answers: NetlinkMessage[] = [];
    let refusal: SystemCallError | undefined;
    while (open.size > 0) {
      for (const message of this.#receive()) {
        const request = all.get(message.sequence);
        if (!request) continue;
        if (message.type !== NLMSG_ERROR) answers.push(message);
        if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) continue;
        open.delete(message.sequence);
        const refused = refusalOf(message, request);
        if (refused && !tolerated.includes(refused.errno)) refusal ??= refused;
        if (refused && request.isUnanswered) open.clear();
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
function refusalOf({ body }: NetlinkMessage, { name, subject }: NetlinkRequest): SystemCallError | undefined {
  const view = Buffer.from(body.buffer, body.byteOffset, body.length);
  const result = view.length >= 4 ? view.readInt32LE(0) : 0;
  if (result >= 0) return undefined;
  const words = nameOf(parseAttributes(view.subarray(REFUSAL_ATTRIBUTES)).get(NLMSGERR_ATTR_MSG));
  return callError(name, result, subject, words || undefined);
}

function writeOffThread(descriptor: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, (error) => (error ? reject(error) : resolve()));
  });
}
