import { once } from "node:events";
import { childExit, startChild } from "#sys/command.ts";

/** One for all engines of this machine, whatever their roots. */
const LOCK_FILE = "/run/berth-network.lock";

/** So many of this engine's works at most are done before another engine may have the lock. */
const MOST_AT_ONCE = 16;

interface Waiting {
  /** Tells the caller of its outcome, and never rejects. */
  readonly run: () => Promise<void>;
  readonly fail: (error: unknown) => void;
}

/** What this engine does under the lock next, in its order. */
const waiting: Waiting[] = [];
let isHolding = false;

/**
 * Runs `work` while no other engine of this machine does, nor anything else of this one: they choose subnets by looking at what the others have. To
 * take the lock costs two processes, so that works that wait for it are done one after the other while it is held.
 */
export function withMachineLock<T>(work: () => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    waiting.push({ run: () => work().then(resolve, reject), fail: reject });
    void workOff();
  });
}

async function workOff(): Promise<void> {
  if (isHolding) return;
  isHolding = true;
  while (waiting.length > 0) {
    try {
      await holdingLock(async () => {
        for (let left = MOST_AT_ONCE; left > 0; left--) await waiting.shift()?.run();
      });
    } catch (error) {
      for (const { fail } of waiting.splice(0)) fail(error);
    }
  }
  isHolding = false;
}

/** The lock is held by a child that lives as long as its standard input, so that it goes with the engine however that ends, and nothing polls for it. */
async function holdingLock(work: () => Promise<void>): Promise<void> {
  const holder = startChild("flock", [LOCK_FILE, "cat"], { stdio: ["pipe", "pipe", "ignore"] });
  const ended = childExit(holder, "flock");
  try {
    holder.stdin?.on("error", () => undefined).write("\n");
    // `cat` echoes the line once `flock` has the lock.
    if (holder.stdout) await Promise.race([once(holder.stdout, "data"), ended]);
    await work();
  } finally {
    holder.stdin?.end();
    await ended;
  }
}
