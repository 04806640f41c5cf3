/** Signals of the client that belong to the container. */
import { resizeTerminal } from "#client/container-attach.ts";
import { killContainer } from "#client/container-lifecycle.ts";
import type { Engine } from "#client/engine.ts";
import type { Streams } from "../streams.ts";

const PROXIED = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGALRM"] as const;

/** Sends every signal that the client gets on to the container. Returns what ends that. */
export function proxySignals(engine: Engine, id: string): () => void {
  const handlers = PROXIED.map((signal) => {
    // A container that has just ended cannot be signalled; that is no news to anyone.
    const handler = (): void => void killContainer(engine, id, signal.slice(3)).catch(() => undefined);
    process.on(signal, handler);
    return () => void process.off(signal, handler);
  });
  return () => {
    for (const stop of handlers) stop();
  };
}

/** Gives the terminal of a container or exec the size of the client's, now and whenever that changes. Returns what ends that. */
export function followTerminalSize(
  engine: Engine,
  target: { readonly kind: "container" | "exec"; readonly id: string },
  streams: Streams,
): () => void {
  const resize = (): void => {
    const size = streams.terminalSize();
    // A process that is not up yet, or no more, has no terminal to resize.
    if (size) void resizeTerminal(engine, target, size).catch(() => undefined);
  };
  resize();
  process.on("SIGWINCH", resize);
  return () => void process.off("SIGWINCH", resize);
}
