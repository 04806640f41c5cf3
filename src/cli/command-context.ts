/** What a command sees of the world: the engine that the user means, the configuration, the streams. */
import { join } from "node:path";
import { HttpEngine } from "#client/connection/http-engine.ts";
import type { Engine } from "#client/engine.ts";
import { clientTls } from "./client-tls.ts";
import { readConfigFile } from "./config/config-file.ts";
import { requestHeaders } from "./config/request-headers.ts";
import { endpointOf, selectContext } from "./context/context-selection.ts";
import type { GLOBAL_FLAGS } from "./global-flags.ts";
import type { CommandContext } from "./grammar/command.ts";
import type { ParsedFlags } from "./grammar/parse-flags.ts";
import { interruptSignal } from "./interrupt.ts";
import type { Streams } from "./streams.ts";

export type GlobalFlags = ParsedFlags<typeof GLOBAL_FLAGS>;

async function startEngineFor(streams: Streams): Promise<void> {
  const { startEngine } = await import("./start-engine.ts");
  await startEngine(streams.stderr);
}

/** Where `config.json`, contexts and plugins are: `--config`, DOCKER_CONFIG, `~/.docker`. */
export function configDirectoryOf({ flags }: GlobalFlags): string {
  return flags.config || process.env["DOCKER_CONFIG"] || join(homeDirectory(), ".docker");
}

/** What `homedir()` says, which looks at HOME first too; `node:os` is loaded only where that says nothing. */
function homeDirectory(): string {
  return process.env["HOME"] || process.getBuiltinModule("node:os").homedir();
}

/**
 * Nothing is opened yet: the engine's address is resolved when `engine` is first asked for, which throws StatusError when it cannot be.
 * Throws StatusError for flags that contradict each other.
 */
export function createContext(
  global: GlobalFlags,
  streams: Streams,
  options: { readonly startsEngine: boolean } = { startsEngine: true },
): CommandContext {
  const { env } = process;
  const { flags, given } = global;
  const configDirectory = configDirectoryOf(global);
  const selection = selectContext({
    flags,
    environment: env,
    currentContext: () => readConfigFile(configDirectory).currentContext,
  });
  let engine: Engine | undefined;
  const openEngine = (): Engine => {
    const tls = (): ReturnType<typeof clientTls> => clientTls(flags, given, env, configDirectory);
    const endpoint = endpointOf(selection, flags, configDirectory, tls);
    return new HttpEngine(endpoint, {
      apiVersion: env["DOCKER_API_VERSION"],
      headers: requestHeaders(configDirectory, env["DOCKER_CUSTOM_HEADERS"]),
      ...(options.startsEngine ? { startEngine: () => startEngineFor(streams) } : {}),
    });
  };
  return {
    get engine(): Engine {
      engine ??= openEngine();
      return engine;
    },
    streams,
    environment: env,
    configDirectory,
    selection,
    workingDirectory: process.cwd(),
    debug: flags.debug,
    get signal(): AbortSignal {
      return interruptSignal();
    },
  };
}
