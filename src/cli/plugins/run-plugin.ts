import { spawn } from "node:child_process";
import { constants } from "node:os";
import { formatEndpoint } from "#client/connection/endpoint.ts";
import { SystemError } from "#errors/errors.ts";
import { DEFAULT_CONTEXT } from "../context/context-store.ts";
import type { CommandContext } from "../grammar/command.ts";
import type { Plugin } from "./plugin-metadata.ts";

/** Signals that a terminal does not send to the plugin itself. */
const FORWARDED = ["SIGTERM", "SIGHUP"] as const;
/** Those that it does: Berth stays until the plugin has tidied up. */
const WAITED_OUT = ["SIGINT", "SIGQUIT"] as const;

/**
 * Runs a plugin with the whole command line, on this process's streams, against the engine that `berth` would speak to; without `context` it
 * is asked for its help only, for which none is started. Resolves with its exit code. Throws SystemError when it cannot be started.
 */
export async function runPlugin(plugin: Plugin, argv: readonly string[], context?: CommandContext): Promise<number> {
  const environment = { ...process.env, ...(context ? await engineEnvironment(context) : {}) };
  const child = spawn(plugin.Path, [...argv], {
    stdio: "inherit",
    env: { ...environment, DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: process.execPath },
  });
  const stay = (): void => undefined;
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of WAITED_OUT) process.on(signal, stay);
  for (const signal of FORWARDED) process.on(signal, forward);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once("error", (cause) => reject(new SystemError(`cannot run ${plugin.Path}: ${cause.message}`, { cause })));
      child.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
    });
  } finally {
    for (const signal of WAITED_OUT) process.off(signal, stay);
    for (const signal of FORWARDED) process.off(signal, forward);
  }
}

/**
 * Plugins know DOCKER_HOST and contexts, and neither BERTH_HOST nor Berth's own socket. A stored context they find themselves. An engine that
 * is started on demand must be there before them.
 */
async function engineEnvironment({ engine, selection }: CommandContext): Promise<Readonly<Record<string, string>>> {
  if (selection.name !== DEFAULT_CONTEXT) return {};
  if (engine.endpoint.isDefault) await engine.send({ method: "GET", path: "/_ping" });
  return { DOCKER_HOST: formatEndpoint(engine.endpoint) };
}
