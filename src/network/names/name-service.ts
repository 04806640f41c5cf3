import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errorCode, errorMessage } from "#errors/errors.ts";
import { watchDirectory } from "#sys/watch-file.ts";
import { ContainerServer } from "./container-server.ts";
import { CONTROL_SOCKET, decodeNameRecord, type NameRecord, RECORD_SUFFIX } from "./name-record.ts";
import { NameTable } from "./name-table.ts";

/**
 * The name service of one engine, a process of its own, so that names are found while the engine restarts. It reads a record per container from
 * the directory, follows its changes, and answers each container in that one's namespace. To whoever connects to its socket it says
 * `ID SERIAL` for each record that it has taken up, and `ID !REASON` for one that it could not. It ends when nobody needs it: without a
 * record and without a connection, or when its directory goes.
 */
class NameService {
  readonly #directory: string;
  readonly #names = new NameTable();
  readonly #servers = new Map<string, ContainerServer>();
  readonly #engines = new Set<Bun.Socket<undefined>>();
  readonly #ended = Promise.withResolvers<void>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  async run(): Promise<void> {
    // Watch first, then read: nothing is missed.
    using _watch = watchDirectory(this.#directory, (name) => this.#refresh(name));
    const path = join(this.#directory, CONTROL_SOCKET);
    rmSync(path, { force: true });
    const listener = Bun.listen<undefined>({
      unix: path,
      socket: {
        open: (socket) => this.#greet(socket),
        data: () => undefined,
        close: (socket) => this.#forget(socket),
        error: (socket) => this.#forget(socket),
      },
    });
    for (const name of readdirSync(this.#directory)) this.#refresh(name);
    // The engine that started this one waits for it.
    process.stdout.write("ready\n");
    await this.#ended.promise;
    listener.stop(true);
  }

  #greet(socket: Bun.Socket<undefined>): void {
    this.#engines.add(socket);
    // The engine tells by this line that the service is there.
    socket.write(`service ${process.pid}\n`);
    for (const id of this.#servers.keys()) socket.write(`${id} ${this.#names.get(id)?.serial}\n`);
  }

  #forget(socket: Bun.Socket<undefined>): void {
    this.#engines.delete(socket);
    this.#endIfIdle();
  }

  #endIfIdle(): void {
    if (this.#names.size === 0 && this.#engines.size === 0) this.#ended.resolve();
  }

  /** Takes up the present state of a record. */
  #refresh(name: string): void {
    if (!name.endsWith(RECORD_SUFFIX) || name.startsWith(".")) {
      this.#checkDirectory();
      return;
    }
    const id = name.slice(0, -RECORD_SUFFIX.length);
    const record = this.#read(name);
    if (record?.containerId === id) void this.#take(record);
    else this.#drop(id);
  }

  #read(name: string): NameRecord | undefined {
    try {
      return decodeNameRecord(JSON.parse(readFileSync(join(this.#directory, name), "utf8")), "");
    } catch (error) {
      // Gone; or unreadable, which the engine will write anew.
      if (errorCode(error) !== "ENOENT") process.stderr.write(`name service: ${name}: ${errorMessage(error)}\n`);
      return undefined;
    }
  }

  async #take(record: NameRecord): Promise<void> {
    const { containerId, netnsPath, serial } = record;
    const before = this.#names.get(containerId);
    this.#names.set(record);
    if (before?.netnsPath !== netnsPath) this.#closeServer(containerId);
    try {
      const server = this.#servers.get(containerId) ?? new ContainerServer(containerId, netnsPath, this.#names);
      this.#servers.set(containerId, server);
      await server.ready();
      this.#tell(`${containerId} ${serial}`);
    } catch (error) {
      this.#closeServer(containerId);
      this.#tell(`${containerId} !${errorMessage(error).replaceAll("\n", " ")}`);
    }
  }

  #drop(containerId: string): void {
    this.#names.delete(containerId);
    this.#closeServer(containerId);
    this.#endIfIdle();
  }

  #closeServer(containerId: string): void {
    this.#servers.get(containerId)?.[Symbol.dispose]();
    this.#servers.delete(containerId);
  }

  #tell(line: string): void {
    for (const engine of this.#engines) engine.write(`${line}\n`);
  }

  #checkDirectory(): void {
    try {
      readdirSync(this.#directory);
    } catch {
      this.#ended.resolve();
    }
  }
}

/** `berth name-service DIRECTORY`: serves until nobody needs it. Returns the exit code. Started by the engine, not by people. */
export async function runNameService(args: readonly string[]): Promise<number> {
  const [directory] = args;
  if (directory === undefined || args.length !== 1) {
    process.stderr.write("berth name-service: the engine starts it, with the directory of its records\n");
    return 1;
  }
  // The engine closes its end once it has read that the service is ready.
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
  process.on("SIGHUP", () => undefined);
  process.on("SIGINT", () => undefined);
  await new NameService(directory).run();
  return 0;
}
