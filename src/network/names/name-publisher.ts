import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SystemError } from "#errors/errors.ts";
import { startChild } from "#sys/command.ts";
import { CONTROL_SOCKET, type NameRecord, RECORD_SUFFIX } from "./name-record.ts";

/** How long the service may take to start, and to take up a record, ms. */
const PATIENCE = 5000;
/** How long the service stays without a record, ms: a container that runs to its end is often followed by another. */
const LINGER = 10_000;

export interface NamePublisherOptions {
  /** Where the records are, under the exec root. */
  readonly directory: string;
  /** The command that runs the service on a directory, which is added. */
  readonly command: readonly [program: string, ...args: string[]];
  readonly onTrouble: (message: string) => void;
}

/** The engine's side of the name service: writes its records, starts it when the first one is there, again when it dies, and ends it after the last. */
export class NamePublisher {
  readonly #options: NamePublisherOptions;
  readonly #records = new Map<string, NameRecord>();
  /** What the service has taken up: the serial by container. */
  readonly #taken = new Map<string, string>();
  readonly #waiting = new Map<string, (answer: string) => void>();
  #connection: Promise<Bun.Socket<undefined>> | undefined;
  #lingering: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #ended = Promise.withResolvers<void>();
  #serial = 0;

  constructor(options: NamePublisherOptions) {
    this.#options = options;
  }

  /** Writes a container's record. Resolves when the service answers by it. Throws SystemError when it cannot. */
  async publish(record: Omit<NameRecord, "serial">): Promise<void> {
    const whole: NameRecord = { ...record, serial: `${Date.now()}.${++this.#serial}` };
    clearTimeout(this.#lingering);
    this.#records.set(record.containerId, whole);
    this.#write(whole);
    await this.#connect();
    await this.#takenUp(whole);
  }

  /** Takes a container's record back. Idempotent. */
  withdraw(containerId: string): void {
    if (!this.#records.delete(containerId)) return;
    this.#taken.delete(containerId);
    rmSync(this.#path(containerId), { force: true });
    if (this.#records.size > 0) return;
    this.#lingering = setTimeout(() => this.#disconnect(), LINGER);
    this.#lingering.unref();
  }

  /** At start-up: makes the directory hold just these records, and takes up a service that serves them already. */
  async restore(records: readonly Omit<NameRecord, "serial">[]): Promise<void> {
    const wanted = new Set(records.map(({ containerId }) => `${containerId}${RECORD_SUFFIX}`));
    for (const name of this.#names()) {
      if (name.endsWith(RECORD_SUFFIX) && !wanted.has(name))
        rmSync(join(this.#options.directory, name), { force: true });
    }
    await Promise.all(records.map((record) => this.publish(record)));
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
      if (name.endsWith(RECORD_SUFFIX)) rmSync(join(this.#options.directory, name), { force: true });
    }
    this.#records.clear();
    this.#closed = true;
    // Maybe there is one that an engine before this one left.
    const socket = await (this.#connection ?? this.#open()).catch(() => undefined);
    if (!socket) return;
    const pid = Number(await this.#nextTaken("service"));
    // One that does not say who it is cannot be ended, and is not waited for.
    if (!Number.isInteger(pid) || pid <= 1) {
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

  #path(containerId: string): string {
    return join(this.#options.directory, `${containerId}${RECORD_SUFFIX}`);
  }

  /** Whole or not at all: the service may read at any moment. It outlives the engine, not the machine, so nothing is synced. */
  #write(record: NameRecord): void {
    mkdirSync(this.#options.directory, { recursive: true, mode: 0o700 });
    const temporary = join(this.#options.directory, `.${record.containerId}`);
    writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
    renameSync(temporary, this.#path(record.containerId));
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
    const id = line.slice(0, space);
    const answer = line.slice(space + 1);
    this.#taken.set(id, answer);
    this.#waiting.get(id)?.(answer);
  }

  /** Resolves when the service has told that it has this state of the record. */
  async #takenUp({ containerId, serial }: NameRecord): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    for (let answer = this.#taken.get(containerId); answer !== serial; ) {
      if (answer?.startsWith("!"))
        throw new SystemError(`cannot serve names in the container's network: ${answer.slice(1)}`);
      const left = deadline - Date.now();
      if (left <= 0)
        throw new SystemError("cannot serve names in the container's network: the name service does not answer");
      answer = await this.#nextAnswer(containerId, left);
    }
  }

  #nextAnswer(containerId: string, patience: number): Promise<string | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), patience);
      this.#waiting.set(containerId, (answer) => {
        clearTimeout(timer);
        this.#waiting.delete(containerId);
        resolve(answer);
      });
    });
  }

  /** What the service has said, or says next, of a container or of itself. */
  async #nextTaken(subject: string): Promise<string | undefined> {
    return this.#taken.get(subject) ?? (await this.#nextAnswer(subject, PATIENCE));
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
    const wasWanted = this.#connection !== undefined;
    this.#connection = undefined;
    if (this.#closed || !wasWanted || this.#records.size === 0) return;
    this.#options.onTrouble("the name service ended; starting it again");
    this.#connect().catch((error: unknown) =>
      this.#options.onTrouble(`cannot start the name service again: ${error instanceof Error ? error.message : error}`),
    );
  }
}

function firstData(stream: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve) => stream.once("data", () => resolve()));
}
