import type { EventBus } from "#engine/events.ts";
import { errorMessage } from "#errors/errors.ts";
import { isCgroup2 } from "#sys/cgroup-version.ts";
import type { Logger } from "./logger.ts";
import { type DaemonOptions, parseDaemonOptions, type ReloadableOptions } from "./options/daemon-options.ts";

/** Where the options of a running engine are; those that SIGHUP reads anew change. Ask at each use. */
export class LiveOptions {
  readonly #args: readonly string[];
  #current: DaemonOptions;

  /** `args`: those of `berth daemon`, which `current` was read from. */
  constructor(args: readonly string[], current: DaemonOptions) {
    this.#args = args;
    this.#current = current;
  }

  get current(): DaemonOptions {
    return this.#current;
  }

  /** Reads the configuration file again and takes over what may change. Throws InvalidParameterError for a file that cannot be; then nothing changes. */
  reload(): ReloadableOptions {
    const read = parseDaemonOptions(this.#args);
    const reloaded: ReloadableOptions = {
      labels: read.labels,
      logLevel: read.logLevel,
      registryMirrors: read.registryMirrors,
      insecureRegistries: read.insecureRegistries,
      maxConcurrentDownloads: read.maxConcurrentDownloads,
      maxConcurrentUploads: read.maxConcurrentUploads,
      maxDownloadAttempts: read.maxDownloadAttempts,
      liveRestore: read.liveRestore,
      shutdownTimeout: read.shutdownTimeout,
      runtimes: read.runtimes,
      containers: read.containers,
    };
    this.#current = { ...this.#current, ...reloaded };
    return reloaded;
  }
}

/** Who is to know of a reload, and what the `reload` event tells of the engine beside its options. */
export interface ReloadedEngine {
  readonly engine: {
    readonly events: EventBus;
    readonly information: {
      readonly id: string;
      readonly hostname: string;
      readonly runtime: { readonly name: string };
    };
  };
  /** Takes over what takes a while. Never rejects. */
  reloaded(): Promise<void>;
}

/** Takes SIGHUP: a configuration that cannot be read is told in the log, and changes nothing. Dispose to stop taking it. */
export function reloadOnHangUp(options: LiveOptions, running: ReloadedEngine, log: Logger): Disposable {
  const { engine } = running;
  const onHangUp = (): void => {
    log.info(`Got signal to reload configuration, reloading from: ${options.current.configFile}`);
    try {
      const reloaded = options.reload();
      log.level = reloaded.logLevel;
      engine.events.publish("daemon", "reload", engine.information.id, reloadAttributes(reloaded, engine));
      void running.reloaded();
      log.info("Reloaded configuration");
    } catch (error) {
      log.error(errorMessage(error));
    }
  };
  process.on("SIGHUP", onHangUp);
  return { [Symbol.dispose]: () => void process.off("SIGHUP", onHangUp) };
}

/** As dockerd's event has them. https://github.com/moby/moby/blob/v28.2.2/daemon/reload.go */
function reloadAttributes(
  options: ReloadableOptions,
  { information }: ReloadedEngine["engine"],
): Record<string, string> {
  const { containers, runtimes } = options;
  return {
    name: information.hostname,
    debug: String(options.logLevel === "debug"),
    labels: listOf(options.labels),
    "insecure-registries": listOf(options.insecureRegistries),
    "registry-mirrors": listOf(options.registryMirrors),
    "max-concurrent-downloads": String(options.maxConcurrentDownloads),
    "max-concurrent-uploads": String(options.maxConcurrentUploads),
    "max-download-attempts": String(options.maxDownloadAttempts),
    "live-restore": String(options.liveRestore),
    "shutdown-timeout": String(options.shutdownTimeout),
    runtimes: [...runtimes.added].map(([name, { path }]) => `${name}:${path}`).join(" "),
    "default-runtime": information.runtime.name,
    "default-shm-size": String(containers.shmSize),
    "default-ipc-mode": containers.ipcMode,
    "default-cgroupns-mode": containers.cgroupnsMode || (isCgroup2() ? "private" : "host"),
  };
}

function listOf(texts: readonly string[]): string {
  return JSON.stringify(texts);
}
