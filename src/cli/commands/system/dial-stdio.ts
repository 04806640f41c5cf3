import { type EngineSocket, openEngineSocket } from "#client/connection/engine-socket.ts";
import { EngineUnreachableError } from "#client/engine-error.ts";
import { engineVersion } from "#client/system.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand } from "../../grammar/command.ts";

/** What `ssh://` endpoints run at the far end: the engine's socket on standard input and output, as it is. */
export const command: Command = defineCommand({
  usage: "",
  about: "Proxy the stdio stream to the daemon connection. Should not be invoked manually.",
  arguments: NO_ARGUMENTS,
  flags: {},
  async run(_invocation, context) {
    const socket = await openSocket(context);
    // The client's end is a half-close; the engine may still answer.
    const sent = sendInput(socket, context).catch(() => socket.destroy());
    for (let bytes = await socket.read(); bytes; bytes = await socket.read()) await context.streams.stdout.write(bytes);
    // The engine has ended the connection: what the client might still say reaches nobody.
    void sent;
    socket.destroy();
    return 0;
  },
});

async function openSocket({ engine }: CommandContext): Promise<EngineSocket> {
  try {
    return await openEngineSocket(engine.endpoint);
  } catch (error) {
    if (!(error instanceof EngineUnreachableError) || !engine.endpoint.isDefault) throw error;
  }
  // Any call starts the default engine.
  await engineVersion(engine);
  return openEngineSocket(engine.endpoint);
}

async function sendInput(socket: EngineSocket, { streams }: CommandContext): Promise<void> {
  for await (const bytes of streams.stdin.bytes()) await socket.write(bytes);
  socket.end();
}
