import { existsSync } from "node:fs";
import { InvalidParameterError } from "#errors/errors.ts";
import { isCgroup2 } from "#sys/cgroup-version.ts";
import { findProgram } from "#sys/find-program.ts";
import { probeRuntime, type RuntimeCommand, type RuntimeProgram } from "./program.ts";

/** What daemon.json and flags say of runtimes. */
export interface RuntimeSettings {
  /** That of containers which name none; "": the better of those that are here. */
  readonly defaultName: string;
  /** By name, besides those that every engine has. */
  readonly added: ReadonlyMap<string, RuntimeCommand>;
}

/** Those that need no entry in daemon.json. The last is what Docker calls the first. */
export const STOCK_RUNTIMES: readonly string[] = ["runc", "crun", "io.containerd.runc.v2"];

/** The OCI runtimes that containers can have, by the names that users give them. Settings may change while the engine runs. */
export class RuntimeCatalog {
  readonly #settings: () => RuntimeSettings;
  /** What runtimes said of themselves, by how they are started. */
  readonly #programs = new Map<string, Promise<RuntimeProgram>>();
  #default: RuntimeProgram | undefined;

  constructor(settings: () => RuntimeSettings) {
    this.#settings = settings;
  }

  get defaultName(): string {
    return this.#settings().defaultName || preferredRuntime();
  }

  /** The default one, as it was when it was last asked for; undefined until then, or when it is not there. */
  get defaultProgram(): RuntimeProgram | undefined {
    return this.#default?.name === this.defaultName ? this.#default : undefined;
  }

  /** All names, with what they start. */
  list(): ReadonlyMap<string, RuntimeCommand> {
    return new Map([...stockRuntimes(), ...this.#settings().added]);
  }

  /** "" is the default. Throws InvalidParameterError, in Docker's words, for a name that is not known. */
  command(name: string): RuntimeCommand {
    const own = name || this.defaultName;
    const command = this.list().get(own);
    if (!command) throw new InvalidParameterError(`unknown or invalid runtime name: ${own}`);
    return command;
  }

  /** The program of that name, "" for the default. Throws as {@link command} and {@link probeRuntime}. */
  async find(name: string): Promise<RuntimeProgram> {
    const program = await this.#probe(name || this.defaultName, this.command(name));
    if (program.name === this.defaultName) this.#default = program;
    return program;
  }

  #probe(name: string, command: RuntimeCommand): Promise<RuntimeProgram> {
    const key = JSON.stringify([name, command]);
    const known = this.#programs.get(key);
    if (known) return known;
    const probe = probeRuntime(name, command);
    this.#programs.set(key, probe);
    // It may be installed by the next time.
    probe.catch(() => this.#programs.delete(key));
    return probe;
  }
}

function stockRuntimes(): [string, RuntimeCommand][] {
  const [runc, crun] = [findProgram("runc"), findProgram("crun")];
  const command = (path: string): RuntimeCommand => ({ path, args: [] });
  return [
    // Clients that name it mean "as usual".
    ["runc", command(runc ?? crun ?? "runc")],
    ...(crun ? [["crun", command(crun)] satisfies [string, RuntimeCommand]] : []),
    ["io.containerd.runc.v2", command(runc ?? crun ?? "runc")],
  ];
}

/** crun starts containers in less than half of runc's time, but refuses machines that mount cgroup v1 controllers with cgroup v2 beside them. */
function preferredRuntime(): string {
  return findProgram("crun") && !isHybridCgroup() ? "crun" : "runc";
}

/** cgroup v1 controllers with a cgroup v2 tree at /sys/fs/cgroup/unified, as systemd's "hybrid" layout. */
function isHybridCgroup(): boolean {
  return !isCgroup2() && existsSync("/sys/fs/cgroup/unified");
}
