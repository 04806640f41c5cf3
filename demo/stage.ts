import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunOptions } from "../tools/harness/child.ts";
import { PrivateEngine } from "../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../tools/harness/private-registry.ts";

const bold = (text: string): string => (process.stdout.isTTY ? `\u001b[1m${text}\u001b[22m` : text);

/** What the demo stands on: a private engine, a real registry that plays Docker Hub, and a directory to work in. */
export class Stage implements AsyncDisposable {
  readonly engine: PrivateEngine;
  readonly registry: PrivateRegistry;
  /** A copy of the examples, which the walk edits. */
  readonly directory: string;

  private constructor(engine: PrivateEngine, registry: PrivateRegistry, directory: string) {
    this.engine = engine;
    this.registry = registry;
    this.directory = directory;
  }

  static async set(): Promise<Stage> {
    const registry = await PrivateRegistry.start();
    const engine = await PrivateEngine.start({ daemonArgs: ["--registry-mirror", `http://${registry.host}`] });
    const directory = mkdtempSync(join(tmpdir(), "berth-demo-"));
    cpSync(join(import.meta.dirname, "..", "examples"), directory, { recursive: true });
    return new Stage(engine, registry, directory);
  }

  say(text: string): void {
    process.stdout.write(`\n${bold(`# ${text}`)}\n`);
  }

  /** Prints a command as a person would type it, runs it, and shows its output as it comes. Fails the demo unless it ends with `expected`. */
  async berth(args: readonly string[], options: RunOptions & { readonly expected?: number } = {}): Promise<string> {
    process.stdout.write(`\n${bold(`$ berth ${args.map(quoted).join(" ")}`)}\n`);
    const { exitCode, stdout, stderr } = await this.engine.berth(args, { timeout: 300_000, echo: true, ...options });
    if (exitCode !== (options.expected ?? 0))
      throw new Error(`berth ${args.join(" ")} ended with ${exitCode}: ${stderr || stdout}`);
    return stdout.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.directory, { recursive: true, force: true });
    await this.engine.close();
    await this.registry.close();
  }
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`;
}
