import { attachContainer } from "#client/container-attach.ts";
import { startContainer, waitContainer } from "#client/container-lifecycle.ts";
import { inspectContainer } from "#client/container-read.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { detachKeysOf } from "../../attach/configured-detach-keys.ts";
import { runSession } from "../../attach/session.ts";
import { followTerminalSize, SignalProxy } from "../../attach/signals.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand, type Invocation } from "../../grammar/command.ts";
import { booleanFlag, stringFlag } from "../../grammar/flag.ts";
import { exitCodeOf } from "../../run/exit-code.ts";
import { runForEach } from "../../run-for-each.ts";
import { StatusError } from "../../status-error.ts";

const FLAGS = {
  attach: booleanFlag("Attach STDOUT/STDERR and forward signals", { short: "a" }),
  "detach-keys": stringFlag("Override the key sequence for detaching a container"),
  interactive: booleanFlag("Attach container's STDIN", { short: "i" }),
};

export const command: Command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  about: "Start one or more stopped containers",
  spellings: ["container start", "start"],
  arguments: atLeast(1),
  flags: FLAGS,
  async run(invocation, context) {
    const { flags, args } = invocation;
    if (flags.attach || flags.interactive) {
      if (args.length > 1) throw new InvalidParameterError("you cannot start and attach multiple containers at once");
      return startAttached(args[0] ?? "", flags, context);
    }
    const failed: string[] = [];
    const code = await runForEach(args, context, async (name) => {
      failed.push(name);
      await startContainer(context.engine, name);
      failed.pop();
      return name;
    });
    if (failed.length > 0) throw new StatusError(1, `Error: failed to start containers: ${failed.join(", ")}`);
    return code;
  },
});

async function startAttached(
  name: string,
  flags: Invocation<typeof FLAGS>["flags"],
  context: CommandContext,
): Promise<number> {
  const { engine, streams } = context;
  const { Id: id, Config: config, HostConfig: host } = await inspectContainer(engine, name);
  const detachKeys = detachKeysOf(flags["detach-keys"], context);
  const tty = config.Tty ?? false;
  const attach = { stdin: flags.interactive && (config.OpenStdin ?? false), stdout: true, stderr: true, detachKeys };
  const signals = tty ? undefined : new SignalProxy();
  let stopResize = (): void => undefined;
  try {
    const [stream, pending] = await Promise.all([
      attachContainer(engine, id, attach),
      waitContainer(engine, id, host.AutoRemove ? "removed" : "next-exit"),
    ]);
    const session = runSession(stream, streams, { ...attach, tty });
    session.catch(() => undefined);
    await startContainer(engine, id);
    signals?.deliverToNew(engine, id);
    if (tty) stopResize = followTerminalSize(engine, { kind: "container", id }, streams);
    if ((await session) === "detached") return 0;
    return await exitCodeOf(pending);
  } finally {
    stopResize();
    signals?.stop();
  }
}
