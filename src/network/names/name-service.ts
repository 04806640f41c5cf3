import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errorCode, errorMessage } from "#errors/errors.ts";
import { watchDirectory } from "#sys/watch-file.ts";
import { RELAY_SUFFIX } from "../relay/relay-record.ts";
import { RelayServers } from "../relay/relay-servers.ts";
import { RECORD_SUFFIX } from "./name-record.ts";
import { NameServers } from "./name-servers.ts";
import type { RecordServer } from "./record-server.ts";
import { CONTROL_SOCKET, SERVICE_VERSION, WITHDRAWN } from "./service-protocol.ts";

/**
 * The service of one engine that outlives it, a process of its own: names are found, and relayed ports are open, while the engine restarts. It reads
 * records from the directory, follows its changes, and works by them. To whoever connects to its socket it tells what it has taken up
 * (service-protocol.ts). It ends when nobody needs it: without a record and without a connection, or when its directory goes.
 */
class NameService {
  readonly #directory: string;
  readonly #servers: Readonly<Record<string, RecordServer>> = {
    [RECORD_SUFFIX]: new NameServers(),
    [RELAY_SUFFIX]: new RelayServers(),
  };
  /** What was last said of each record that is there, and the work on it that goes on. */
  readonly #answers = new Map<string, string>();
  readonly #work = new Map<string, Promise<void>>();
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
    socket.write(`service ${process.pid} ${SERVICE_VERSION}\n`);
    for (const [name, answer] of this.#answers) socket.write(`${name} ${answer}\n`);
  }

  #forget(socket: Bun.Socket<undefined>): void {
    this.#engines.delete(socket);
    this.#endIfIdle();
  }

  #endIfIdle(): void {
    if (this.#work.size === 0 && this.#answers.size === 0 && this.#engines.size === 0) this.#ended.resolve();
  }

  /** Takes up the present state of a record, after what is being done for its earlier ones. */
  #refresh(name: string): void {
    const suffix = Object.keys(this.#servers).find((candidate) => name.endsWith(candidate));
    const server = this.#servers[suffix ?? ""];
    if (!server || suffix === undefined || name.startsWith(".")) {
      this.#checkDirectory();
      return;
    }
    const id = name.slice(0, -suffix.length);
    const work = (this.#work.get(name) ?? Promise.resolve()).then(() => this.#takeUp(server, name, id));
    this.#work.set(name, work);
    void work.then(() => {
      if (this.#work.get(name) === work) this.#work.delete(name);
      this.#endIfIdle();
    });
  }

  async #takeUp(server: RecordServer, name: string, id: string): Promise<void> {
    const record = this.#read(name);
    if (record === undefined) {
      server.drop(id);
      this.#answers.delete(name);
      this.#tell(name, WITHDRAWN);
      return;
    }
    const answer = await server
      .take(id, record)
      .catch((error: unknown) => `!${errorMessage(error).replaceAll("\n", " ")}`);
    this.#answers.set(name, answer);
    this.#tell(name, answer);
  }

  #read(name: string): unknown {
    try {
      return JSON.parse(readFileSync(join(this.#directory, name), "utf8"));
    } catch (error) {
      // Gone; or unreadable, which the engine will write anew.
      if (errorCode(error) !== "ENOENT") process.stderr.write(`name service: ${name}: ${errorMessage(error)}\n`);
      return undefined;
    }
  }

  #tell(name: string, answer: string): void {
    for (const engine of this.#engines) engine.write(`${name} ${answer}\n`);
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
