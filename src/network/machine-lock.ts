import { once } from "node:events";
import { childExit, startChild } from "#sys/command.ts";

/** One for all engines of this machine, whatever their roots. */
const LOCK_FILE = "/run/berth-network.lock";

/**
 * Runs `work` while no other engine of this machine does: they choose subnets by looking at what the others have. The lock is held by a child
 * that lives as long as its standard input, so that it goes with the engine however that ends, and nothing polls for it.
 */
export async function withMachineLock<T>(work: () => Promise<T>): Promise<T> {
  const holder = startChild("flock", [LOCK_FILE, "cat"], { stdio: ["pipe", "pipe", "ignore"] });
  const ended = childExit(holder, "flock");
  try {
    holder.stdin?.on("error", () => undefined).write("\n");
    // `cat` echoes the line once `flock` has the lock.
    if (holder.stdout) await Promise.race([once(holder.stdout, "data"), ended]);
    return await work();
  } finally {
    holder.stdin?.end();
    await ended;
  }
}
