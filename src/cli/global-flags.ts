import { booleanFlag, type Flag, listFlag, stringFlag } from "./grammar/flag.ts";

/** The options in front of the command. Those for TLS and contexts are accepted where they change nothing. */
export const GLOBAL_FLAGS: {
  readonly config: Flag<string>;
  readonly context: Flag<string>;
  readonly debug: Flag<boolean>;
  readonly host: Flag<readonly string[]>;
  readonly "log-level": Flag<string>;
  readonly version: Flag<boolean>;
} = {
  config: stringFlag("Location of client config files (default: $DOCKER_CONFIG or ~/.docker)"),
  context: stringFlag('Accepted for docker\'s sake: Berth has the context "default" only', {
    short: "c",
    hidden: true,
  }),
  debug: booleanFlag("Enable debug mode", { short: "D" }),
  host: listFlag("Engine socket to connect to (unix://PATH or tcp://HOST:PORT)", { short: "H" }),
  "log-level": stringFlag('Set the logging level ("debug", "info", "warn", "error", "fatal")', {
    short: "l",
    initial: "info",
  }),
  version: booleanFlag("Print version information and quit", { short: "v" }),
};
