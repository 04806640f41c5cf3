/** What commands run on in tests: an engine of functions, and streams that remember. */
import type { Engine, EngineRequest, EngineResponse, EngineStream } from "#client/engine.ts";
import { EngineError } from "#client/engine-error.ts";
import type { CommandContext } from "../grammar/command.ts";
import type { Output, Streams, TerminalSize } from "../streams.ts";

/** Answers `METHOD /path`: a value becomes JSON, an Error is thrown. */
export type FakeRoutes = Readonly<Record<string, (request: EngineRequest) => unknown>>;

export interface FakeContext extends CommandContext {
  /** What the command asked for, in order. */
  readonly requests: readonly EngineRequest[];
  readonly out: () => string;
  readonly err: () => string;
}

export interface FakeOptions {
  readonly routes?: FakeRoutes;
  /** Answers attach and exec start. */
  readonly stream?: () => EngineStream;
  readonly stdin?: string;
  readonly terminal?: TerminalSize;
  readonly environment?: Readonly<Record<string, string>>;
  readonly configDirectory?: string;
}

/** A context whose engine answers by `routes`, 404 to all else. */
export function fakeContext(options: FakeOptions = {}): FakeContext {
  const requests: EngineRequest[] = [];
  const stdout = new MemoryOutput(options.terminal !== undefined);
  const stderr = new MemoryOutput(options.terminal !== undefined);
  const streams: Streams = {
    stdout,
    stderr,
    stdin: {
      isTerminal: options.terminal !== undefined,
      bytes: async function* () {
        if (options.stdin !== undefined) yield Buffer.from(options.stdin);
      },
      setRaw: () => () => undefined,
    },
    terminalSize: () => options.terminal,
  };
  const engine: Engine = {
    endpoint: { kind: "unix", path: "/fake.sock", isDefault: false },
    send: async (request) => {
      requests.push(request);
      return respond(options.routes ?? {}, request);
    },
    upgrade: async (request) => {
      requests.push(request);
      if (!options.stream) throw new EngineError(404, "page not found");
      return options.stream();
    },
  };
  return {
    engine,
    streams,
    environment: options.environment ?? {},
    configDirectory: options.configDirectory ?? "/nowhere",
    workingDirectory: "/work-dir",
    selection: { name: "default", overriding: undefined, defaultHost: "unix:///fake.sock" },
    signal: new AbortController().signal,
    debug: false,
    requests,
    out: () => stdout.text,
    err: () => stderr.text,
  };
}

function respond(routes: FakeRoutes, request: EngineRequest): EngineResponse {
  const route = routes[`${request.method} ${request.path}`];
  if (!route) throw new EngineError(404, "page not found");
  const answer = route(request);
  if (answer instanceof Error) throw answer;
  const lines = Array.isArray(answer) && answer.length > 0 && isStream(answer) ? answer.slice(1) : undefined;
  const text = lines
    ? lines.map((line) => `${JSON.stringify(line)}\n`).join("")
    : answer === undefined
      ? ""
      : JSON.stringify(answer);
  return {
    status: 200,
    headers: {},
    body: (async function* () {
      if (text !== "") yield Buffer.from(text);
    })(),
  };
}

const STREAM: unique symbol = Symbol("stream");

/** Marks messages that are sent as JSON lines. */
export function jsonLines(...messages: readonly unknown[]): readonly unknown[] {
  return [STREAM, ...messages];
}

function isStream(answer: readonly unknown[]): boolean {
  return answer[0] === STREAM;
}

class MemoryOutput implements Output {
  text = "";
  readonly isTerminal: boolean;

  constructor(isTerminal: boolean) {
    this.isTerminal = isTerminal;
  }

  async write(data: string | Uint8Array): Promise<void> {
    this.text += typeof data === "string" ? data : Buffer.from(data).toString("utf8");
  }
}
