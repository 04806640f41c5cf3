import { type ChildProcess, spawn } from "node:child_process";

/** What a finished program left. */
export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  /** Milliseconds before SIGKILL. Default 110,000, less than a test may take. */
  readonly timeout?: number;
  /** Milliseconds before SIGINT: what a person's Ctrl-C does. */
  readonly interruptAfter?: number;
  /** SIGINT as soon as stdout or stderr holds this. */
  readonly interruptOn?: string;
  /** Show the output as it comes. */
  readonly echo?: boolean;
  /** Show stderr as it comes. */
  readonly echoErrors?: boolean;
}

/** Runs a program to its end; never through a shell. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = spawn(program, [...args], {
    env: { ...process.env, ...options.env },
    ...(options.cwd ? { cwd: options.cwd } : {}),
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  child.stdin?.on("error", () => undefined).end(options.input);
  const timers = [
    setTimeout(() => child.kill("SIGKILL"), options.timeout ?? 110_000),
    ...(options.interruptAfter ? [setTimeout(() => child.kill("SIGINT"), options.interruptAfter)] : []),
  ];
  interruptOnText(child, options.interruptOn);
  return collect(child, options).finally(() => {
    for (const timer of timers) clearTimeout(timer);
  });
}

function interruptOnText(child: ChildProcess, text: string | undefined): void {
  if (text === undefined) return;
  let isSent = false;
  for (const stream of [child.stdout, child.stderr]) {
    let seen = "";
    stream?.on("data", (chunk: Buffer) => {
      if (isSent) return;
      seen += chunk.toString("utf8");
      if (!seen.includes(text)) return;
      isSent = true;
      child.kill("SIGINT");
    });
  }
}

function collect(child: ChildProcess, { echo, echoErrors }: RunOptions): Promise<Finished> {
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.on("data", (chunk: Buffer) => {
      output[name].push(chunk);
      if (echo || (echoErrors && name === "stderr")) process[name].write(chunk);
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      resolve({
        exitCode: code ?? (signal === "SIGKILL" ? 137 : 130),
        stdout: Buffer.concat(output.stdout).toString("utf8"),
        stderr: Buffer.concat(output.stderr).toString("utf8"),
      });
    });
  });
}
