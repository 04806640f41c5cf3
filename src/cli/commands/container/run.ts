import { attachContainer } from "#client/container-attach.ts";
import { removeContainer, startContainer, waitContainer } from "#client/container-lifecycle.ts";
import type { EngineStream } from "#client/engine.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import type { ContainerCreateRequest } from "#spec/docker-containers.ts";
import { detachKeysOf } from "../../attach/configured-detach-keys.ts";
import { requireTerminal } from "../../attach/require-terminal.ts";
import { runSession } from "../../attach/session.ts";
import { CreateSignals, followTerminalSize, type SignalProxy, signalExitCode } from "../../attach/signals.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand, type Invocation } from "../../grammar/command.ts";
import { booleanFlag, stringFlag } from "../../grammar/flag.ts";
import { CONTAINER_FLAGS } from "../../run/container-flags.ts";
import { type CreateOptions, createWithPull, readRequest } from "../../run/create-container.ts";
import { exitCodeOf } from "../../run/exit-code.ts";
import { startError, withHelp } from "../../run/run-error.ts";
import { StatusError } from "../../status-error.ts";

const FLAGS = {
  ...CONTAINER_FLAGS,
  detach: booleanFlag("Run container in background and print container ID", { short: "d" }),
  "detach-keys": stringFlag("Override the key sequence for detaching a container"),
  pull: stringFlag('Pull image before running ("always", "missing", "never")', { initial: "missing" }),
  "sig-proxy": booleanFlag("Proxy received signals to the process", { initial: true }),
};

export const command: Command = defineCommand({
  usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  about: "Create and run a new container from an image",
  spellings: ["container run", "run"],
  arguments: atLeast(1),
  stopAtFirstArgument: true,
  flags: FLAGS,
  run,
});

async function run(invocation: Invocation<typeof FLAGS>, context: CommandContext): Promise<number> {
  const { flags } = invocation;
  const { streams } = context;
  const request = await prepareRequest(invocation, context);
  if (!flags.detach) requireTerminal(streams, request.AttachStdin ?? false, flags.tty);
  const signals = new CreateSignals();
  const attempt = flags["sig-proxy"] && !flags.detach ? signals.attempt : undefined;
  const id = await createWithPull(request, createOptions(flags, attempt), context).catch((error: unknown) => {
    throw withHelp(error, "run");
  });
  if (!flags.detach) return runAttached(id, request, flags, signals.proxy, context);
  await startContainer(context.engine, id).catch((error: unknown) => {
    throw startError(error, "run");
  });
  await streams.stdout.write(`${id}\n`);
  return 0;
}

async function prepareRequest(
  invocation: Invocation<typeof FLAGS>,
  context: CommandContext,
): Promise<ContainerCreateRequest> {
  const { flags } = invocation;
  if (flags.detach && flags.attach.length > 0) {
    throw new InvalidParameterError("conflicting options: cannot specify both --attach and --detach");
  }
  const request = await readRequest(invocation, context, "run");
  if (flags.detach) {
    return { ...request, AttachStdin: false, AttachStdout: false, AttachStderr: false, StdinOnce: false };
  }
  const size = flags.tty ? context.streams.terminalSize() : undefined;
  return size ? { ...request, HostConfig: { ...request.HostConfig, ConsoleSize: [size.rows, size.columns] } } : request;
}

function createOptions(flags: Invocation<typeof FLAGS>["flags"], attempt: CreateOptions["attempt"]): CreateOptions {
  const { name, platform, cidfile, pull, quiet } = flags;
  return { name, platform, cidFile: cidfile, pull, quiet, ...(attempt ? { attempt } : {}) };
}

/** Attaches, watches for the end, and only then starts: nothing that the container says or does is missed. */
async function runAttached(
  id: string,
  request: ContainerCreateRequest,
  flags: Invocation<typeof FLAGS>["flags"],
  signals: SignalProxy | undefined,
  context: CommandContext,
): Promise<number> {
  const { engine, streams } = context;
  const detachKeys = detachKeysOf(flags["detach-keys"], context);
  const attach = {
    stdin: request.AttachStdin ?? false,
    stdout: request.AttachStdout ?? false,
    stderr: request.AttachStderr ?? false,
    detachKeys,
  };
  let stream: EngineStream | undefined;
  let stopResize = (): void => undefined;
  try {
    const [attached, pending] = await Promise.all([
      attachContainer(engine, id, attach),
      waitContainer(engine, id, flags.rm ? "removed" : "next-exit"),
    ]);
    stream = attached;
    const session = runSession(attached, streams, { ...attach, tty: flags.tty, detachKeys });
    session.catch(() => undefined);
    if (signals?.undelivered) throw await abandon(id, signals.undelivered, flags.rm, context);
    await startContainer(engine, id).catch((error: unknown) => {
      throw startError(error, "run");
    });
    signals?.deliverToNew(engine, id);
    if (flags.tty) stopResize = followTerminalSize(engine, { kind: "container", id }, streams);
    if ((await session) === "detached") return 0;
    return await exitCodeOf(pending);
  } catch (error) {
    throw error instanceof StatusError ? error : withHelp(error, "run");
  } finally {
    stopResize();
    signals?.stop();
    stream?.destroy();
  }
}

/** The user has interrupted before there was anything to interrupt: the container does not start, and with --rm it goes. */
async function abandon(
  id: string,
  signal: NodeJS.Signals,
  removes: boolean,
  { engine }: CommandContext,
): Promise<StatusError> {
  if (removes) await removeContainer(engine, id, { force: true, volumes: true });
  return new StatusError(signalExitCode(signal), "");
}
