import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode, errorMessage, SystemError } from "#errors/errors.ts";
import { startChild } from "#sys/command.ts";
import { CONTROL_SOCKET, SERVICE_VERSION, WITHDRAWN } from "./service-protocol.ts";

/** How long the service may take to start, and to take up a record, ms. */
const PATIENCE = 5000;
/** How long the service stays without a record, ms: a container that runs to its end is often followed by another. */
const LINGER = 10_000;

export interface ServiceClientOptions {
  /** Where the records are, under the exec root. */
  readonly directory: string;
  /** The command that runs the service on a directory, which is added. */
  readonly command: readonly [program: string, ...args: string[]];
  readonly onTrouble: (message: string) => void;
}

/** The service has refused a record; the message is its reason. */
export class ServiceRefusal extends SystemError {}

/** One state of a record, as the service gets it. */
type Serialized = Readonly<Record<string, unknown>> & { readonly serial: string };

/**
 * The engine's side of the service that outlives it: writes its records, starts it when the first one is there, again when it dies, and ends it after
 * the last. A record is known by the name of its file.
 */
export class ServiceClient {
  readonly #options: ServiceClientOptions;
  readonly #records = new Map<string, Serialized>();
  /** What the service has taken up: the serial by record. */
  readonly #taken = new Map<string, string>();
  readonly #waiting = new Map<string, Set<(answer: string) => void>>();
  #connection: Promise<Bun.Socket<undefined>> | undefined;
  #lingering: NodeJS.Timeout | undefined;
  #closed = false;
  #isReplacing = false;
  readonly #ended = Promise.withResolvers<void>();
  #serial = 0;

  constructor(options: ServiceClientOptions) {
    this.#options = options;
  }

  /** Writes a record. Resolves when the service works by it. Throws ServiceRefusal, and SystemError when there is no service. */
  async publish(name: string, record: Readonly<Record<string, unknown>>): Promise<void> {
    const whole: Serialized = { ...record, serial: `${Date.now()}.${++this.#serial}` };
    clearTimeout(this.#lingering);
    this.#records.set(name, whole);
    this.#write(name, whole);
    await this.#connect();
    await this.#takenUp(name, whole.serial);
  }

  /** Takes a record back. Resolves when the service has let go of it. Idempotent. */
  async withdraw(name: string): Promise<void> {
    if (!this.#records.delete(name)) return;
    this.#taken.delete(name);
    rmSync(join(this.#options.directory, name), { force: true });
    if (this.#records.size === 0) {
      this.#lingering = setTimeout(() => this.#disconnect(), LINGER);
      this.#lingering.unref();
    }
    if (this.#connection) await this.#nextAnswer(name, PATIENCE);
  }

  /**
   * At start-up: makes the directory hold just these records of a kind, and takes up a service that works by them already. What it
   * refuses is told as trouble.
   */
  async restore(suffix: string, records: ReadonlyMap<string, Readonly<Record<string, unknown>>>): Promise<void> {
    for (const name of this.#names()) {
      if (name.endsWith(suffix) && !records.has(name)) rmSync(join(this.#options.directory, name), { force: true });
    }
    const restored = [...records].map(([name, record]) =>
      this.publish(name, record).catch((error: unknown) => this.#options.onTrouble(`${name}: ${errorMessage(error)}`)),
    );
    await Promise.all(restored);
  }

  /** The engine ends. The service stays as long as there are records. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#lingering);
    this.#disconnect();
  }

  /** Takes all records back, so that the service ends. */
  async cleanUp(): Promise<void> {
    for (const name of this.#names()) {
      if (name !== CONTROL_SOCKET) rmSync(join(this.#options.directory, name), { force: true });
    }
    this.#records.clear();
    this.#closed = true;
    // Maybe there is one that an engine before this one left.
    const socket = await (this.#connection ?? this.#open()).catch(() => undefined);
    if (!socket) return;
    const pid = pidOf(await this.#nextTaken("service"));
    // One that does not say who it is cannot be ended, and is not waited for.
    if (pid === undefined) {
      socket.end();
      return;
    }
    process.kill(pid, "SIGTERM");
    // The kernel closes the connection with the process.
    await this.#ended.promise;
  }

  #names(): readonly string[] {
    mkdirSync(this.#options.directory, { recursive: true, mode: 0o700 });
    return readdirSync(this.#options.directory);
  }

  /** Whole or not at all: the service may read at any moment. It outlives the engine, not the machine, so nothing is synced. */
  #write(name: string, record: Serialized): void {
    const { directory } = this.#options;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const temporary = join(directory, `.${name}`);
    writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
    renameSync(temporary, join(directory, name));
  }

  /** A connection to the service, which is started if nobody listens. */
  #connect(): Promise<Bun.Socket<undefined>> {
    this.#connection ??= this.#open()
      .catch(() => this.#start())
      .catch((error: unknown) => {
        this.#connection = undefined;
        throw error;
      });
    return this.#connection;
  }

  async #start(): Promise<Bun.Socket<undefined>> {
    const [program, ...args] = this.#options.command;
    const { directory, onTrouble } = this.#options;
    // A session of its own: what ends the engine's terminal does not end it.
    const child = startChild(program, [...args, directory], { detached: true, stdio: ["ignore", "pipe", "pipe"] });
    child.stderr?.on("data", (text: Buffer) => onTrouble(text.toString("utf8").trim()));
    child.unref();
    const ended = new Promise<never>((_, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => reject(new SystemError(`cannot start the name service: it ended with ${code}`)));
    });
    ended.catch(() => undefined);
    if (child.stdout) await Promise.race([firstData(child.stdout), ended]);
    child.stdout?.destroy();
    return this.#open();
  }

  async #open(): Promise<Bun.Socket<undefined>> {
    let pending = "";
    return await Bun.connect<undefined>({
      unix: join(this.#options.directory, CONTROL_SOCKET),
      socket: {
        data: (_, bytes) => {
          const lines = (pending + bytes.toString("utf8")).split("\n");
          pending = lines.pop() ?? "";
          for (const line of lines) this.#hear(line);
        },
        close: () => this.#lost(),
        error: () => undefined,
      },
    });
  }

  #hear(line: string): void {
    const space = line.indexOf(" ");
    const name = line.slice(0, space);
    const answer = line.slice(space + 1);
    this.#taken.set(name, answer);
    this.#tell(name, answer);
    if (name === "service") this.#replaceOlder(answer);
    else if (answer.startsWith("!") && !this.#waiting.has(name)) {
      this.#options.onTrouble(`the name service: ${name}: ${answer.slice(1)}`);
    }
  }

  /** A service that an engine of another version left goes; the end of the connection starts this one's. */
  #replaceOlder(answer: string): void {
    const pid = pidOf(answer);
    this.#isReplacing = pid !== undefined && answer.split(" ")[1] !== SERVICE_VERSION;
    if (!this.#isReplacing || pid === undefined) return;
    try {
      process.kill(pid, "SIGTERM");
    } catch (error) {
      if (errorCode(error) !== "ESRCH") throw error;
    }
  }

  #tell(name: string, answer: string): void {
    for (const take of this.#waiting.get(name) ?? []) take(answer);
  }

  /** Resolves when the service has told that it has this state of the record. */
  async #takenUp(name: string, serial: string): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      // Several answers may have come at once: the last one counts.
      const answer = this.#taken.get(name);
      if (answer === serial) return;
      if (answer?.startsWith("!")) throw new ServiceRefusal(answer.slice(1));
      const left = deadline - Date.now();
      if (left <= 0) throw new SystemError("the name service does not answer");
      await this.#nextAnswer(name, left);
    }
  }

  #nextAnswer(name: string, patience: number): Promise<string | undefined> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(name) ?? new Set();
      const take = (answer: string | undefined): void => {
        clearTimeout(timer);
        waiting.delete(take);
        if (waiting.size === 0) this.#waiting.delete(name);
        resolve(answer);
      };
      const timer = setTimeout(take, patience, undefined);
      this.#waiting.set(name, waiting.add(take));
    });
  }

  /** What the service has said, or says next, of a record or of itself. */
  async #nextTaken(name: string): Promise<string | undefined> {
    return this.#taken.get(name) ?? (await this.#nextAnswer(name, PATIENCE));
  }

  #disconnect(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.then((socket) => socket.end()).catch(() => undefined);
  }

  /** The service died, or was told to end. */
  #lost(): void {
    this.#ended.resolve();
    this.#taken.clear();
    // What it held it holds no more.
    for (const name of [...this.#waiting.keys()]) if (!this.#records.has(name)) this.#tell(name, WITHDRAWN);
    const wasWanted = this.#connection !== undefined;
    this.#connection = undefined;
    if (this.#closed || !wasWanted || this.#records.size === 0) return;
    if (!this.#isReplacing) this.#options.onTrouble("the name service ended; starting it again");
    this.#connect().catch((error: unknown) =>
      this.#options.onTrouble(`cannot start the name service again: ${error instanceof Error ? error.message : error}`),
    );
  }
}

function firstData(stream: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve) => stream.once("data", () => resolve()));
}

/** Of `PID VERSION`. */
function pidOf(answer: string | undefined): number | undefined {
  const pid = Number(answer?.split(" ")[0]);
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
}
