import type { RuntimeRlimit } from "#spec/oci-runtime.ts";
import { setDescriptorLimit } from "#sys/descriptor-limit.ts";
import { isOlder } from "../oci/known-bad-versions.ts";
import type { RuntimeProgram } from "../oci/program.ts";

const NOFILE = "RLIMIT_NOFILE";
/** The first runc that sets an exec's limits when the Go runtime has raised its own. https://github.com/opencontainers/runc/pull/4265 */
const FIXED_RUNC = "1.1.13";

/** How an exec comes to its limits. */
export interface ExecLimits {
  /** What the runtime is to set. */
  readonly rlimits: readonly RuntimeRlimit[];
  /** To be called with the pid when the process runs. */
  readonly onStart: ((pid: number) => void) | undefined;
}

/**
 * Older runcs set the limits of an exec while the Go runtime in what will become its process raises the soft limit of descriptors to the hard one.
 * Mostly that comes second, and programs that walk through all possible descriptors crawl. So runc gets the soft limit for both, which leaves
 * nothing to raise, and the hard one follows as soon as the process runs. An engine without CAP_SYS_RESOURCE (`canRaise`) cannot do that: there
 * the soft limit is set once more.
 */
export function execLimits(
  program: Pick<RuntimeProgram, "kind" | "version">,
  rlimits: readonly RuntimeRlimit[],
  canRaise: boolean,
): ExecLimits {
  const limit = rlimits.find(({ type }) => type === NOFILE);
  const isRacy = program.kind === "runc" && isOlder(program.version, FIXED_RUNC);
  if (!isRacy || !limit || limit.soft === limit.hard) return { rlimits, onStart: undefined };
  const first = canRaise ? { ...limit, hard: limit.soft } : limit;
  return {
    rlimits: rlimits.map((other) => (other === limit ? first : other)),
    onStart: (pid) => {
      try {
        setDescriptorLimit(pid, limit);
      } catch {
        // Nobody waits for it, and the process goes on with the limit that runc gave it.
      }
    },
  };
}
