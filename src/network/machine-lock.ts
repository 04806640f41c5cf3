import { once } from "node:events";
import { childExit, startChild } from "#sys/command.ts";
import { tryLockFile } from "#sys/flock.ts";

/** One for all engines of this machine, whatever their roots. */
const LOCK_FILE = "/run/berth-network.lock";

/** So many of this engine's works at most are done before another engine may have the lock. */
const MOST_AT_ONCE = 16;

interface Waiting {
  readonly engine: object;
  /** Tells the caller of its outcome, and never rejects. */
  readonly run: () => Promise<void>;
  readonly fail: (error: unknown) => void;
}

/** What this engine does under the lock next, in its order. */
const waiting: Waiting[] = [];
let isHolding = false;

/**
 * Runs `work` of `engine` while no other engine of this machine does: they choose subnets by looking at what the others have. Works of one engine that
 * wait for the lock are done beside each other while it is held.
 */
export function withMachineLock<T>(engine: object, work: () => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    waiting.push({ engine, run: () => work().then(resolve, reject), fail: reject });
    void workOff();
  });
}

async function workOff(): Promise<void> {
  if (isHolding) return;
  isHolding = true;
  while (waiting.length > 0) {
    try {
      await holdingLock(async () => {
        await Promise.all(takeNext().map(({ run }) => run()));
      });
    } catch (error) {
      for (const { fail } of waiting.splice(0)) fail(error);
    }
  }
  isHolding = false;
}

/** The first that waits, and others of the same engine. */
function takeNext(): readonly Waiting[] {
  const next = waiting.filter(({ engine }) => engine === waiting[0]?.engine).slice(0, MOST_AT_ONCE);
  for (const one of next) waiting.splice(waiting.indexOf(one), 1);
  return next;
}

/**
 * When another engine has the lock, it is waited for by a child, so that nothing polls. The child lives as long as its standard input: it goes with
 * the engine however that ends.
 */
async function holdingLock(work: () => Promise<void>): Promise<void> {
  using free = tryLockFile(LOCK_FILE);
  if (free) return await work();
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
