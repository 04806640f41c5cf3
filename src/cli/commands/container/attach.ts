import { attachContainer } from "#client/container-attach.ts";
import { waitContainer } from "#client/container-lifecycle.ts";
import { inspectContainer } from "#client/container-read.ts";
import { ConflictError } from "#errors/errors.ts";
import type { ContainerInspect } from "#spec/docker-containers.ts";
import { detachKeysOf } from "../../attach/configured-detach-keys.ts";
import { requireTerminal } from "../../attach/require-terminal.ts";
import { runSession } from "../../attach/session.ts";
import { followWithRedraw, SignalProxy } from "../../attach/signals.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, stringFlag } from "../../grammar/flag.ts";
import { StatusError } from "../../status-error.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  about: "Attach local standard input, output, and error streams to a running container",
  spellings: ["container attach", "attach"],
  arguments: exactly(1),
  flags: {
    "detach-keys": stringFlag("Override the key sequence for detaching a container"),
    "no-stdin": booleanFlag("Do not attach STDIN"),
    "sig-proxy": booleanFlag("Proxy all received signals to the process", { initial: true }),
  },
  async run({ flags, args }, context) {
    const { engine, streams } = context;
    const container = await inspectContainer(engine, args[0] ?? "");
    checkAttachable(container);
    const { Id: id, Config: config } = container;
    const tty = config.Tty ?? false;
    const detachKeys = detachKeysOf(flags["detach-keys"], context);
    const attach = { stdin: !flags["no-stdin"] && (config.OpenStdin ?? false), stdout: true, stderr: true, detachKeys };
    requireTerminal(streams, attach.stdin, tty);
    const signals = flags["sig-proxy"] && !tty ? new SignalProxy() : undefined;
    signals?.deliverTo(engine, id);
    let stopResize = (): void => undefined;
    try {
      const [pending, stream] = await Promise.all([waitContainer(engine, id), attachContainer(engine, id, attach)]);
      if (tty) stopResize = await followWithRedraw(engine, { kind: "container", id }, streams);
      const end = await runSession(stream, streams, { ...attach, tty });
      if (end === "detached") throw new StatusError(1, "read escape sequence");
      return (await pending.exit).StatusCode;
    } finally {
      stopResize();
      signals?.stop();
    }
  },
});

function checkAttachable({ State: state }: ContainerInspect): void {
  if (!state.Running) throw new ConflictError("You cannot attach to a stopped container, start it first");
  if (state.Paused) throw new ConflictError("You cannot attach to a paused container, unpause it first");
  if (state.Restarting)
    throw new ConflictError("You cannot attach to a restarting container, wait until it is running");
}
