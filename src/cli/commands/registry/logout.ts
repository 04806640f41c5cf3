import { errorMessage, UnavailableError } from "#errors/errors.ts";
import { HUB_KEY, registryKey } from "../../config/registry-auth.ts";
import { eraseCredentials } from "../../config/store-credentials.ts";
import { atMost } from "../../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand } from "../../grammar/command.ts";

export const command: Command = defineCommand({
  usage: "[SERVER]",
  about: "Log out from a registry.\nIf no server is specified, the default is defined by the daemon.",
  arguments: atMost(1),
  flags: {},
  async run({ args }, context) {
    const server = (args[0] ?? "").replace(/^https?:\/\//, "").replace(/\/$/, "");
    const key = server === "" ? HUB_KEY : registryKey(server);
    if (key === HUB_KEY) await forgetDeviceLogin(context);
    await context.streams.stdout.write(`Removing login credentials for ${key}\n`);
    try {
      await eraseCredentials(key, context);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      await context.streams.stderr.write(`WARNING: could not erase credentials:\n${key}: ${error.message}\n`);
    }
    return 0;
  },
});

/** A login in the browser has tokens of its own. */
async function forgetDeviceLogin(context: CommandContext): Promise<void> {
  const { deviceLogout } = await import("../../login/device-login.ts");
  try {
    await deviceLogout(context);
  } catch (error) {
    await context.streams.stderr.write(`WARNING: ${errorMessage(error)}\n`);
  }
}
