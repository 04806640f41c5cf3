import { spawn } from "node:child_process";
import type { Command } from "./peers/peer.ts";

export interface Timed {
  readonly milliseconds: number;
  readonly stdout: string;
  readonly stdoutLines: number;
}

/**
 * Runs a whole command line and says how long a person would have waited: from the start of the program until it has ended
 * and its output, through pipes, is read. A failure is an error: a wrong answer has no time.
 */
export async function time(command: Command): Promise<Timed> {
  const [program = "", ...args] = command.argv;
  const started = performance.now();
  const child = spawn(program, args, { env: { ...process.env, ...command.env }, stdio: ["ignore", "pipe", "pipe"] });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const milliseconds = performance.now() - started;
  if (code !== 0) {
    const text = Buffer.concat([...errors, ...output]).toString("utf8");
    throw new Error(`${command.argv.join(" ")} ended with ${code}: ${text.trim().slice(-600)}`);
  }
  const stdout = Buffer.concat(output);
  return { milliseconds, stdout: stdout.toString("utf8").trim(), stdoutLines: lineCount(stdout) };
}

function lineCount(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === 0x0a) count++;
  return count;
}
