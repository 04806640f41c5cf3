import { rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { BERTH_COMMIT, BERTH_VERSION } from "#engine/version.ts";
import { errorMessage, SystemError } from "#errors/errors.ts";
import { type ApiServer, createApiServer } from "#server/api-server.ts";
import type { LoadBuildKit } from "#server/buildkit.ts";
import { engineRoutes } from "#server/engine-routes.ts";
import { type FileLock, tryLockFile } from "#sys/flock.ts";
import { cleanUp } from "./clean-up.ts";
import { composeEngine, type RunningEngine } from "./compose.ts";
import { exposureWarnings } from "./exposure.ts";
import { IdleMemory } from "./idle-memory.ts";
import { listenAt } from "./listen.ts";
import { LiveOptions, reloadOnHangUp } from "./live-options.ts";
import { Logger } from "./logger.ts";
import { serveMetrics } from "./metrics.ts";
import { type DaemonOptions, parseDaemonCommand } from "./options/daemon-options.ts";
import { formatHost, type ListenAddress } from "./options/hosts.ts";
import { daemonHelp } from "./options/option-table.ts";
import { readTlsFiles, type TlsSecrets } from "./options/tls-files.ts";
import { type EnginePaths, enginePaths, makeDirectories } from "./paths.ts";
import { writePidFile } from "./pid-file.ts";
import { groupId } from "./socket-group.ts";
import { stopContainers } from "./stop-containers.ts";

export interface DaemonStreams {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** `berth daemon`: runs the engine until SIGTERM or SIGINT. Returns the exit code. */
export async function runDaemon(args: readonly string[], streams: DaemonStreams): Promise<number> {
  try {
    const command = parseDaemonCommand(args);
    switch (command.kind) {
      case "help":
        streams.stdout(daemonHelp());
        break;
      case "version":
        streams.stdout(`Berth version ${BERTH_VERSION}, build ${BERTH_COMMIT}\n`);
        break;
      case "validate":
        streams.stdout("configuration OK\n");
        break;
      default: {
        const { logLevel, logFormat } = command.options;
        const log = new Logger(logLevel, streams.stderr, logFormat);
        await runEngine(new LiveOptions(args, command.options), command.kind === "clean-up", log);
      }
    }
    return 0;
  } catch (error) {
    streams.stderr(`berth daemon: ${errorMessage(error)}\n`);
    return 1;
  }
}

async function runEngine(live: LiveOptions, isCleanUp: boolean, log: Logger): Promise<void> {
  const options = live.current;
  const stopping = stopSignal();
  useProxies(options.proxies);
  const paths = enginePaths(options.dataRoot, options.execRoot);
  makeDirectories(paths);
  using _lock = await lockDataRoot(paths.lock, options.dataRoot);
  if (isCleanUp) return cleanUp(await composeEngine(live, paths, log), paths);
  await serve(live, paths, stopping, log);
}

async function serve(live: LiveOptions, paths: EnginePaths, stopping: Promise<void>, log: Logger): Promise<void> {
  const options = live.current;
  const tls = options.tls && readTlsFiles(options.tls);
  using _pidFile = await writePidFile(options.pidFile);
  const running = await composeEngine(live, paths, log);
  using idle = new IdleMemory(log);
  const { servers, addresses } = await listen(options, tls, running, { log, idle });
  using _reloading = reloadOnHangUp(live, running, log);
  await using _metrics = options.metrics && (await serveMetrics(running.engine, options.metrics));
  log.info(
    `Berth engine ready: API on ${addresses.map(formatHost).join(", ")}, data in ${options.dataRoot}, layers ${running.engine.containers.snapshotter.name}`,
  );
  const tidying = running.tidy().catch((error: unknown) => log.warn(`cannot tidy up: ${errorMessage(error)}`));
  await stopping;
  const { liveRestore, shutdownTimeout } = live.current;
  log.info(`stopping; containers ${liveRestore ? "keep running" : "are stopped"}`);
  await Promise.all(servers.map((server) => server.close()));
  for (const host of options.hosts) if (host.kind === "unix") rmSync(host.path, { force: true });
  await tidying;
  if (!liveRestore) await stopContainers(running.engine, shutdownTimeout, log);
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
  const gid = groupId(options.group);
  const servers: ApiServer[] = [];
  const addresses: ListenAddress[] = [];
  for (const host of options.hosts) {
    const isTcp = host.kind === "tcp";
    const server = createApiServer({ routes, onInternalError, onActivity, ...(isTcp ? { overNetwork: { tls } } : {}) });
    addresses.push(await listenAt(server.listener, host, gid));
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

/** Programs that the engine starts for downloads take them from there too. */
function useProxies(proxies: DaemonOptions["proxies"]): void {
  for (const [name, value] of Object.entries(proxies)) {
    if (value === "") continue;
    const variable = name.replace("-", "_");
    process.env[variable] = value;
    process.env[variable.toUpperCase()] = value;
  }
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGTERM", () => resolve());
    process.once("SIGINT", () => resolve());
    // The CLI that started the engine may lose its terminal before there is anything to reload.
    process.on("SIGHUP", () => undefined);
  });
}
