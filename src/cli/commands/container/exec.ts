import { createExec, inspectExec, startExec, startExecDetached } from "#client/container-attach.ts";
import { inspectContainer } from "#client/container-read.ts";
import { EngineError } from "#client/engine-error.ts";
import { BerthError } from "#errors/errors.ts";
import type { ExecCreateRequest } from "#spec/docker-exec.ts";
import { detachKeysOf } from "../../attach/configured-detach-keys.ts";
import { requireTerminal } from "../../attach/require-terminal.ts";
import { runSession } from "../../attach/session.ts";
import { followTerminalSize } from "../../attach/signals.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand, type Invocation } from "../../grammar/command.ts";
import { booleanFlag, listFlag, stringFlag } from "../../grammar/flag.ts";
import { checkEnvironment } from "../../run/container-flags.ts";
import { withClientValue } from "../../run/create-request.ts";
import { readKeyValueFile } from "../../run/key-value-file.ts";
import { StatusError } from "../../status-error.ts";

const FLAGS = {
  detach: booleanFlag("Detached mode: run command in the background", { short: "d" }),
  "detach-keys": stringFlag("Override the key sequence for detaching a container"),
  env: listFlag("Set environment variables", { short: "e", check: checkEnvironment }),
  "env-file": listFlag("Read in a file of environment variables"),
  interactive: booleanFlag("Keep STDIN open even if not attached", { short: "i" }),
  privileged: booleanFlag("Give extended privileges to the command"),
  tty: booleanFlag("Allocate a pseudo-TTY", { short: "t" }),
  user: stringFlag('Username or UID (format: "<name|uid>[:<group|gid>]")', { short: "u" }),
  workdir: stringFlag("Working directory inside the container", { short: "w" }),
};

export const command: Command = defineCommand({
  usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
  about: "Execute a command in a running container",
  spellings: ["container exec", "exec"],
  arguments: atLeast(2),
  stopAtFirstArgument: true,
  flags: FLAGS,
  async run(invocation, context) {
    const { flags, args } = invocation;
    const { engine, streams } = context;
    const container = args[0] ?? "";
    const request = await execRequest(invocation, context);
    if (!flags.detach) {
      // A container that is not there is the better news.
      if (flags.tty && flags.interactive && !streams.stdin.isTerminal) await inspectContainer(engine, container);
      requireTerminal(streams, flags.interactive, flags.tty);
    }
    const id = await createExec(engine, container, request);
    if (flags.detach) {
      await startExecDetached(engine, id, { tty: flags.tty });
      return 0;
    }
    return execAttached(id, request, context);
  },
});

async function execRequest(
  { flags, args }: Invocation<typeof FLAGS>,
  context: CommandContext,
): Promise<ExecCreateRequest> {
  const { environment } = context;
  const files = await Promise.all(flags["env-file"].map((path) => readKeyValueFile(path, (name) => environment[name])));
  const size = flags.tty && !flags.detach ? context.streams.terminalSize() : undefined;
  return {
    Cmd: args.slice(1),
    Env: [...files.flat(), ...flags.env.map((value) => withClientValue(value, environment))],
    Tty: flags.tty,
    AttachStdin: !flags.detach && flags.interactive,
    AttachStdout: !flags.detach,
    AttachStderr: !flags.detach,
    User: flags.user,
    WorkingDir: flags.workdir,
    Privileged: flags.privileged,
    DetachKeys: detachKeysOf(flags["detach-keys"], context),
    ...(size ? { ConsoleSize: [size.rows, size.columns] as const } : {}),
  };
}

async function execAttached(id: string, request: ExecCreateRequest, context: CommandContext): Promise<number> {
  const { engine, streams } = context;
  const { Tty: tty = false, DetachKeys: detachKeys = "" } = request;
  const stream = await startExec(engine, id, { tty, consoleSize: request.ConsoleSize ?? undefined });
  const stopResize = tty ? followTerminalSize(engine, { kind: "exec", id }, streams) : () => undefined;
  try {
    const options = { tty, stdin: request.AttachStdin ?? false, stdout: true, stderr: true, detachKeys };
    if ((await runSession(stream, streams, options)) === "detached") throw new StatusError(1, "read escape sequence");
  } finally {
    stopResize();
  }
  return exitCodeOf(id, context);
}

/** 255, docker's -1, when the engine has gone and nobody can tell how it ended. */
async function exitCodeOf(id: string, { engine }: CommandContext): Promise<number> {
  try {
    return (await inspectExec(engine, id)).ExitCode ?? 0;
  } catch (cause) {
    if (cause instanceof EngineError || !(cause instanceof BerthError)) throw cause;
    throw new StatusError(255, cause.message, { cause });
  }
}
