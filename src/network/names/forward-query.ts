import { randomInt } from "node:crypto";
import { isIPv6 } from "node:net";

/** How long a server may take, ms. The client's own patience is 5 s, as a rule. */
const SERVER_TIMEOUT = 2000;
/** The response code is the low half of the fourth byte. RFC 1035, 4.1.1. */
const RCODE_MASK = 0x0f;
const SERVER_FAILURE = 2;
const REFUSED = 5;
/** The fixed part of a message. */
const HEADER_SIZE = 12;

export type Transport = "udp" | "tcp";

/** Asks one server; resolves with its answer, under the query's own id, or undefined when there is none in time. */
type Ask = (query: Buffer, server: string) => Promise<Buffer | undefined>;

/**
 * Passes a query on to the servers, one after the other until one has an answer; a server's "failure" and "refused" count only when no other has
 * better. Undefined when none answers.
 */
export async function forwardQuery(
  query: Buffer,
  servers: readonly string[],
  transport: Transport,
): Promise<Buffer | undefined> {
  const ask = transport === "udp" ? askByUdp : askByTcp;
  let worse: Buffer | undefined;
  for (const server of servers) {
    const answer = await ask(query, server).catch(() => undefined);
    const code = (answer?.[3] ?? SERVER_FAILURE) & RCODE_MASK;
    if (answer && code !== SERVER_FAILURE && code !== REFUSED) return answer;
    worse ??= answer;
  }
  return worse;
}

/** Under an id and from a port that nobody can guess, so that nobody else can answer in the server's name. RFC 5452. */
const askByUdp: Ask = async (query, server) => {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const outgoing = withId(query, randomInt(0x10000));
  const socket = await Bun.udpSocket({
    hostname: isIPv6(server) ? "::" : "0.0.0.0",
    connect: { hostname: server, port: 53 },
    socket: {
      data: (_, bytes) => {
        if (isAnswerTo(outgoing, bytes)) resolve(withId(Buffer.from(bytes), query.readUInt16BE(0)));
      },
      // Nobody listens there.
      error: () => resolve(undefined),
    },
  });
  const timer = setTimeout(() => resolve(undefined), SERVER_TIMEOUT);
  try {
    socket.send(outgoing);
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.close();
  }
};

const askByTcp: Ask = async (query, server) => {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  let received = Buffer.alloc(0);
  const connecting = Bun.connect({
    hostname: server,
    port: 53,
    socket: {
      open: (socket) => void socket.write(withLength(query)),
      data: (_, bytes) => {
        received = Buffer.concat([received, bytes]);
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
        const answer = received.subarray(2, 2 + received.readUInt16BE(0));
        resolve(isAnswerTo(query, answer) ? answer : undefined);
      },
      close: () => resolve(undefined),
      error: () => resolve(undefined),
      connectError: () => resolve(undefined),
    },
  });
  connecting.catch(() => resolve(undefined));
  const timer = setTimeout(() => resolve(undefined), SERVER_TIMEOUT);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    void connecting.then((socket) => socket.end()).catch(() => undefined);
  }
};

/** A message as it goes over TCP: its length in two bytes before it. RFC 1035, 4.2.2. */
export function withLength(message: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** The same id, and the same question, which every server repeats: the bytes behind the header up to the end of the query's name. */
function isAnswerTo(query: Buffer, answer: Uint8Array): boolean {
  if (answer.length < HEADER_SIZE || !((answer[2] ?? 0) & 0x80)) return false;
  const end = questionEnd(query);
  const same = (from: number, to: number): boolean =>
    query.subarray(from, to).toString("latin1").toLowerCase() ===
    Buffer.from(answer.subarray(from, to)).toString("latin1").toLowerCase();
  // A server that could not read the query may leave the question out.
  const hasQuestion = (answer[5] ?? 0) !== 0;
  return same(0, 2) && (!hasQuestion || same(HEADER_SIZE, end));
}

function questionEnd(query: Buffer): number {
  let offset = HEADER_SIZE;
  while (offset < query.length && query[offset] !== 0) offset += (query[offset] ?? 0) + 1;
  return Math.min(offset + 5, query.length);
}

function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}
