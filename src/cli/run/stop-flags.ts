import type { StopOptions } from "#client/container-lifecycle.ts";
import type { Invocation } from "../grammar/command.ts";
import { type Flag, integerFlag, stringFlag } from "../grammar/flag.ts";

export interface StopFlags {
  readonly [name: string]: Flag<number> | Flag<string>;
  readonly signal: Flag<string>;
  readonly timeout: Flag<number>;
  /** What docker called `--timeout` before 28. */
  readonly time: Flag<number>;
}

/** The flags of `stop` and `restart`. */
export function stopFlags(): StopFlags {
  return {
    signal: stringFlag("Signal to send to the container", { short: "s" }),
    time: integerFlag("Seconds to wait before killing the container", {
      hidden: true,
      deprecated: "use --timeout instead",
    }),
    timeout: integerFlag("Seconds to wait before killing the container", { short: "t" }),
  };
}

/** Without a flag the container's own timeout holds, so nothing is sent. */
export function stopOptions({ flags, given }: Invocation<StopFlags>): StopOptions {
  const timeout = given.has("timeout") ? flags.timeout : given.has("time") ? flags.time : undefined;
  return { signal: flags.signal, timeout };
}
