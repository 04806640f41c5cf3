import { call } from "./libc.ts";

const O_NONBLOCK = 0o4000;
const O_ASYNC = 0o20000;
const F_SETFL = 4;
const F_SETOWN_EX = 15;
const F_OWNER_TID = 0;

let isGuarded = false;

/**
 * Calls `drain` whenever the descriptor has something to read, by SIGIO (fcntl(2) F_SETOWN_EX): for descriptors that Bun cannot poll. `drain` reads
 * until nothing is left, and is called for other descriptors too. `name` is for errors. Disposing the result ends it; the descriptor
 * stays open.
 */
export function onReadable(descriptor: number, name: string, drain: () => void): Disposable {
  if (!isGuarded) {
    // Without any handler a late signal would end the process.
    process.on("SIGIO", () => undefined);
    isGuarded = true;
  }
  process.on("SIGIO", drain);
  // To this thread alone: in any other the signal would only interrupt system calls.
  const owner = Buffer.alloc(8);
  owner.writeInt32LE(F_OWNER_TID, 0);
  owner.writeInt32LE(call("gettid", undefined), 4);
  call("fcntl", name, descriptor, F_SETOWN_EX, owner);
  call("fcntl", name, descriptor, F_SETFL, O_NONBLOCK | O_ASYNC);
  return { [Symbol.dispose]: () => void process.off("SIGIO", drain) };
}
