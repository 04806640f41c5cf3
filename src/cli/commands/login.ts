import { EngineError } from "#client/engine-error.ts";
import { checkAuth } from "#client/system.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { configPath } from "../config/config-file.ts";
import { findCredentials, HUB_KEY, registryKey } from "../config/registry-auth.ts";
import { storeCredentials } from "../config/store-credentials.ts";
import { atMost } from "../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand, type Invocation } from "../grammar/command.ts";
import { booleanFlag, stringFlag } from "../grammar/flag.ts";
import { readHidden, readLine } from "../prompt.ts";

const FLAGS = {
  password: stringFlag("Password or Personal Access Token (PAT)", { short: "p" }),
  "password-stdin": booleanFlag("Take the Password or Personal Access Token (PAT) from stdin"),
  username: stringFlag("Username", { short: "u" }),
};

export const command: Command = defineCommand({
  usage: "[OPTIONS] [SERVER]",
  about: "Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.",
  arguments: atMost(1),
  flags: FLAGS,
  async run(invocation, context) {
    const { stdout, stderr } = context.streams;
    const server = (invocation.args[0] ?? "").replace(/^https?:\/\//, "").replace(/\/$/, "");
    const serveraddress = server === "" ? HUB_KEY : registryKey(server);
    if (await loginWithKept(invocation, serveraddress, context)) return 0;
    const { username, password } = await readCredentials(invocation, context);
    const answer = await checkAuth(context.engine, { username, password, serveraddress });
    const credentials = answer.IdentityToken
      ? { username, identitytoken: answer.IdentityToken, serveraddress }
      : { username, password, serveraddress };
    if (await storeCredentials(serveraddress, credentials, context)) {
      await stderr.write(
        `\nWARNING! Your credentials are stored unencrypted in '${configPath(context.configDirectory)}'.\nConfigure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n\n`,
      );
    }
    await stdout.write(`${answer.Status || "Login Succeeded"}\n`);
    return 0;
  },
});

/** Whether the credentials that are kept already will do: asked only when the user gave none. */
async function loginWithKept(
  { flags }: Invocation<typeof FLAGS>,
  serveraddress: string,
  context: CommandContext,
): Promise<boolean> {
  if (flags["password-stdin"] || flags.password !== "") return false;
  const kept = await findCredentials(serveraddress, context).catch(() => undefined);
  if (!kept || (flags.username !== "" && flags.username !== kept.username)) return false;
  const { stdout, stderr } = context.streams;
  const user = kept.username ? ` [Username: ${kept.username}]` : "";
  await stderr.write(`Authenticating with existing credentials...${user}\n`);
  const way = "To login with a different account, run 'docker logout' followed by 'docker login'";
  await stderr.write(`\n Info -> ${way}\n\n\n`);
  try {
    const { Status: status } = await checkAuth(context.engine, kept);
    await stdout.write(`${status || "Login Succeeded"}\n`);
    return true;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    await stderr.write(`Login did not succeed, error: ${error.message}\n`);
    return false;
  }
}

async function readCredentials(
  { flags }: Invocation<typeof FLAGS>,
  context: CommandContext,
): Promise<{ readonly username: string; readonly password: string }> {
  const { streams } = context;
  if (flags["password-stdin"]) {
    if (flags.password !== "")
      throw new InvalidParameterError("conflicting options: cannot specify both --password and --password-stdin");
    if (flags.username === "")
      throw new InvalidParameterError("the --password-stdin option requires --username to be set");
    let text = "";
    for await (const chunk of streams.stdin.bytes()) text += Buffer.from(chunk).toString("utf8");
    return { username: flags.username, password: text.replace(/\r?\n$/, "") };
  }
  if (flags.password !== "") {
    await streams.stderr.write("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n");
  }
  if ((flags.username === "" || flags.password === "") && !streams.stdin.isTerminal) {
    throw new InvalidParameterError("Error: Cannot perform an interactive login from a non TTY device");
  }
  const username = flags.username || (await readLine("Username: ", streams));
  if (username === "") throw new InvalidParameterError("username is required");
  const password = flags.password || (await readHidden("Password: ", streams));
  if (password === "") throw new InvalidParameterError("password is required");
  return { username, password };
}
