/** Which engine a command line means: `-c`, `-H`, the variables, the configuration, in docker's order. */
import { type ClientTls, DEFAULT_SOCKET, type Endpoint, parseEndpoint } from "#client/connection/endpoint.ts";
import { errorMessage } from "#errors/errors.ts";
import type { GLOBAL_FLAGS } from "../global-flags.ts";
import type { FlagValues } from "../grammar/flag.ts";
import { StatusError } from "../status-error.ts";
import { ContextStore, DEFAULT_CONTEXT, dockerEndpointOf } from "./context-store.ts";

/** The engine's address as the user chose it, before anything of it is opened. */
export interface ContextSelection {
  /** The context in use. */
  readonly name: string;
  /** The variable that overrules all contexts, if one does. */
  readonly overriding: "BERTH_HOST" | "DOCKER_HOST" | undefined;
  /** Where the context `default` points to, as a user writes it. */
  readonly defaultHost: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export interface SelectionInput {
  readonly flags: Pick<FlagValues<typeof GLOBAL_FLAGS>, "context" | "host">;
  readonly environment: Environment;
  /** The configuration's `currentContext`, read only when nothing else decides. */
  currentContext(): string | undefined;
}

/**
 * `-c` goes before `-H`, and they exclude each other; then BERTH_HOST, DOCKER_HOST, DOCKER_CONTEXT, the current context.
 * https://github.com/docker/cli/blob/v28.2.2/cli/command/cli.go (resolveContextName). Throws StatusError.
 */
export function selectContext({ flags, environment, currentContext }: SelectionInput): ContextSelection {
  const { context, host } = flags;
  if (context !== "" && host.length > 0) {
    throw new StatusError(1, "conflicting options: cannot specify both --host and --context");
  }
  const variable = environment["BERTH_HOST"] ? "BERTH_HOST" : environment["DOCKER_HOST"] ? "DOCKER_HOST" : undefined;
  const overriding = context === "" && host.length === 0 ? variable : undefined;
  const defaultHost = host[0] || (variable && environment[variable]) || `unix://${DEFAULT_SOCKET}`;
  const isChosen = host.length > 0 || overriding !== undefined;
  const name = context || (isChosen ? "" : environment["DOCKER_CONTEXT"] || currentContext()) || DEFAULT_CONTEXT;
  return { name, overriding, defaultHost };
}

/**
 * The endpoint of the selected context. Only the default socket that nobody named is started on demand. Throws StatusError in docker's
 * words for a context that is not there or an address that says nothing.
 */
export function endpointOf(
  selection: ContextSelection,
  flags: Pick<FlagValues<typeof GLOBAL_FLAGS>, "host">,
  configDirectory: string,
  tlsOfFlags: () => ClientTls | undefined,
): Endpoint {
  try {
    if (selection.name !== DEFAULT_CONTEXT) return storedEndpoint(selection.name, configDirectory);
    if (flags.host.length > 1) throw new StatusError(1, "Specify only one -H");
    const isNamed = flags.host.length > 0 || selection.defaultHost !== `unix://${DEFAULT_SOCKET}`;
    // Read in any case: who asks for TLS and names no keys must not be served without.
    const tls = tlsOfFlags();
    if (!isNamed && !selection.overriding) return { kind: "unix", path: DEFAULT_SOCKET, isDefault: true };
    return parseEndpoint(selection.defaultHost, tls);
  } catch (cause) {
    throw new StatusError(1, `Failed to initialize: unable to resolve docker endpoint: ${errorMessage(cause)}`, {
      cause,
    });
  }
}

function storedEndpoint(name: string, configDirectory: string): Endpoint {
  const store = new ContextStore(configDirectory);
  const { Host = "", SkipTLSVerify } = dockerEndpointOf(store.read(name));
  const { docker: files = {} } = store.readTls(name);
  const pem = (file: string): string | undefined => files[file] && Buffer.from(files[file]).toString("utf8");
  const tls: ClientTls = { ca: pem("ca.pem"), cert: pem("cert.pem"), key: pem("key.pem"), verify: !SkipTLSVerify };
  const isEncrypted = SkipTLSVerify || tls.ca !== undefined || tls.cert !== undefined || tls.key !== undefined;
  if (Host === "" || Host === `unix://${DEFAULT_SOCKET}`)
    return { kind: "unix", path: DEFAULT_SOCKET, isDefault: true };
  return parseEndpoint(Host, isEncrypted ? tls : undefined);
}
