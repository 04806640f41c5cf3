import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** On v1: any controller's tree will do, these two have nothing to do with a process that stays where it is. */
const V1_CONTROLLERS: readonly string[] = ["freezer", "pids"];

/**
 * Takes a wait out of the way of the next container. To move a process into a cgroup, which runc does at each create and exec, the kernel
 * takes a lock that is free for readers and dear for writers (cgroup_threadgroup_rwsem): the first writer after a while waits for an RCU
 * grace period, measured 18 of the 80 ms of `run --rm`; those who come while it waits share that, and those who come soon after it do not
 * wait at all. So when a container is about to be created, the engine "moves" itself to where it already is, on another thread, and by the
 * time that runc is ready the wait is over.
 * https://docs.kernel.org/admin-guide/cgroup-v2.html (favordynmods), kernel/rcu/sync.c
 */
export class CgroupMoves {
  readonly #root: string;
  readonly #membership: string;
  #isMoving = false;

  constructor(root: string = "/sys/fs/cgroup", membership: string = "/proc/self/cgroup") {
    this.#root = root;
    this.#membership = membership;
  }

  /** Returns at once. The move changes nothing, and its failure means no more than that the wait stays where it was. */
  anticipate(): void {
    if (this.#isMoving) return;
    // Read each time: where the engine was once is no place to go back to.
    const file = processesFile(readFileSync(this.#membership, "utf8"), this.#root);
    if (file === undefined) return;
    this.#isMoving = true;
    // "0" is the process that writes. A kernel that refuses has taken the lock before.
    void writeFile(file, "0")
      .catch(() => undefined)
      .finally(() => {
        this.#isMoving = false;
      });
  }
}

/**
 * The cgroup.procs of the cgroup that a process is in, from its /proc/PID/cgroup: lines of `ID:CONTROLLERS:PATH`, `0::PATH` on v2. Undefined
 * when it lies outside of what `root` shows, as in a container.
 */
export function processesFile(membership: string, root: string): string | undefined {
  const entries = membership.split("\n").map((line) => line.split(":"));
  const v1 = entries.find(([, controllers]) => controllers?.split(",").some((name) => V1_CONTROLLERS.includes(name)));
  const [, controllers = "", ...path] = v1 ?? entries.find(([id, none]) => id === "0" && none === "") ?? [];
  if (path.length === 0 || path[0]?.startsWith("/..")) return undefined;
  return join(root, controllers, path.join(":"), "cgroup.procs");
}
