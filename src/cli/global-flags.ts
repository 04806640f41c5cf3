import { booleanFlag, type Flag, listFlag, stringFlag } from "./grammar/flag.ts";

/** The options in front of the command. */
export const GLOBAL_FLAGS: {
  readonly config: Flag<string>;
  readonly context: Flag<string>;
  readonly debug: Flag<boolean>;
  readonly host: Flag<readonly string[]>;
  readonly "log-level": Flag<string>;
  readonly tls: Flag<boolean>;
  readonly tlscacert: Flag<string>;
  readonly tlscert: Flag<string>;
  readonly tlskey: Flag<string>;
  readonly tlsverify: Flag<boolean>;
  readonly version: Flag<boolean>;
} = {
  config: stringFlag("Location of client config files (default: $DOCKER_CONFIG or ~/.docker)"),
  context: stringFlag(
    'Name of the context to use to connect to the engine (overrides DOCKER_HOST env var and default context set with "berth context use")',
    { short: "c" },
  ),
  debug: booleanFlag("Enable debug mode", { short: "D" }),
  host: listFlag("Engine to connect to (unix://PATH, tcp://HOST:PORT or ssh://[USER@]HOST)", { short: "H" }),
  "log-level": stringFlag('Set the logging level ("debug", "info", "warn", "error", "fatal")', {
    short: "l",
    initial: "info",
  }),
  tls: booleanFlag("Use TLS; implied by --tlsverify"),
  tlscacert: stringFlag("Trust certs signed only by this CA (default: ca.pem of $DOCKER_CERT_PATH or ~/.docker)"),
  tlscert: stringFlag("Path to TLS certificate file (default: cert.pem there)"),
  tlskey: stringFlag("Path to TLS key file (default: key.pem there)"),
  tlsverify: booleanFlag("Use TLS and verify the remote"),
  version: booleanFlag("Print version information and quit", { short: "v" }),
};
