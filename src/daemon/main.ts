import { rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { errorMessage, SystemError } from "#errors/errors.ts";
import { type ApiServer, createApiServer } from "#server/api-server.ts";
import type { LoadBuildKit } from "#server/buildkit.ts";
import { engineRoutes } from "#server/engine-routes.ts";
import { type FileLock, tryLockFile } from "#sys/flock.ts";
import { cleanUp } from "./clean-up.ts";
import { composeEngine, type RunningEngine } from "./compose.ts";
import { exposureWarnings } from "./exposure.ts";
import { formatHost, type ListenAddress } from "./hosts.ts";
import { IdleMemory } from "./idle-memory.ts";
import { listenAt } from "./listen.ts";
import { Logger } from "./logger.ts";
import { DAEMON_HELP, type DaemonOptions, parseDaemonOptions } from "./options.ts";
import { enginePaths, makeDirectories } from "./paths.ts";
import { readTlsFiles, type TlsSecrets } from "./tls-files.ts";

export interface DaemonStreams {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** `berth daemon`: runs the engine until SIGTERM or SIGINT. Returns the exit code. */
export async function runDaemon(args: readonly string[], streams: DaemonStreams): Promise<number> {
  try {
    const options = parseDaemonOptions(args);
    if (options.help) {
      streams.stdout(DAEMON_HELP);
      return 0;
    }
    await serve(options, new Logger(options.logLevel, streams.stderr));
    return 0;
  } catch (error) {
    streams.stderr(`berth daemon: ${errorMessage(error)}\n`);
    return 1;
  }
}

async function serve(options: DaemonOptions, log: Logger): Promise<void> {
  const stopping = stopSignal();
  const tls = options.tls && readTlsFiles(options.tls);
  const paths = enginePaths(options.dataRoot, options.execRoot);
  makeDirectories(paths);
  using _lock = await lockDataRoot(paths.lock, options.dataRoot);
  const running = await composeEngine(options, paths, log);
  if (options.cleanUp) return cleanUp(running, paths);
  using idle = new IdleMemory(log);
  const { servers, addresses } = await listen(options, tls, running, { log, idle });
  log.info(
    `Berth engine ready: API on ${addresses.map(formatHost).join(", ")}, data in ${options.dataRoot}, layers ${running.engine.containers.snapshotter.name}`,
  );
  const tidying = running.tidy().catch((error: unknown) => log.warn(`cannot tidy up: ${errorMessage(error)}`));
  await stopping;
  log.info("stopping; containers keep running");
  await Promise.all(servers.map((server) => server.close()));
  for (const host of options.hosts) if (host.kind === "unix") rmSync(host.path, { force: true });
  await tidying;
  await running.close();
}

/** A child that a killed engine was just starting has the lock too, until it becomes the program that it is to run. Milliseconds. */
const LOCK_GRACE = 1000;
const LOCK_PAUSE = 20;

/** One engine per data root: a second would corrupt what the first believes. The kernel frees the lock however the process ends. */
async function lockDataRoot(path: string, dataRoot: string): Promise<FileLock> {
  for (let waited = 0; waited < LOCK_GRACE; waited += LOCK_PAUSE) {
    const lock = tryLockFile(path);
    if (lock) return lock;
    await delay(LOCK_PAUSE);
  }
  throw new SystemError(
    `cannot use data root ${dataRoot}: another engine is running on it; stop it or choose another --data-root`,
  );
}

interface Listening {
  readonly servers: readonly ApiServer[];
  readonly addresses: readonly ListenAddress[];
}

/** A server per host: each has its own listening state, all share the routes. */
async function listen(
  options: DaemonOptions,
  tls: TlsSecrets | undefined,
  running: RunningEngine,
  { log, idle }: { readonly log: Logger; readonly idle: IdleMemory },
): Promise<Listening> {
  const routes = engineRoutes(running.engine, loadBuildKit(running.engine));
  const onInternalError = (method: string, path: string, error: unknown): void =>
    log.error(`${method} ${path}: ${errorMessage(error)}`);
  const onActivity = (): void => idle.noticed();
  for (const warning of exposureWarnings(options.hosts, options.tls)) log.warn(warning.replaceAll(/\s+/g, " "));
  const servers: ApiServer[] = [];
  const addresses: ListenAddress[] = [];
  for (const host of options.hosts) {
    const isTcp = host.kind === "tcp";
    const server = createApiServer({ routes, onInternalError, onActivity, ...(isTcp ? { overNetwork: { tls } } : {}) });
    addresses.push(await listenAt(server.listener, host));
    servers.push(server);
  }
  return { servers, addresses };
}

/** The same object for all sockets: a build finds its session wherever that came in. */
function loadBuildKit(engine: RunningEngine["engine"]): LoadBuildKit {
  let loaded: ReturnType<LoadBuildKit> | undefined;
  return () => {
    loaded ??= import("#buildkit/buildkit.ts").then(({ BuildKitServer }) => new BuildKitServer(engine));
    return loaded;
  };
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGTERM", () => resolve());
    process.once("SIGINT", () => resolve());
    // The CLI that started the engine may lose its terminal.
    process.on("SIGHUP", () => undefined);
  });
}
