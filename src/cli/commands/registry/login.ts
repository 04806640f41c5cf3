import { EngineError } from "#client/engine-error.ts";
import { checkAuth } from "#client/system.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { parseGoBool } from "#lib/go-bool.ts";
import { configPath } from "../../config/config-file.ts";
import { findCredentials, HUB_KEY, type RegistryCredentials, registryKey } from "../../config/registry-auth.ts";
import { storeCredentials } from "../../config/store-credentials.ts";
import { atMost } from "../../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand, type Invocation } from "../../grammar/command.ts";
import { booleanFlag, stringFlag } from "../../grammar/flag.ts";
import { askCredentials, type GivenCredentials } from "../../login/ask-credentials.ts";
import { noteText } from "../../output/note.ts";
import { hasColors } from "../../output/terminal-look.ts";

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
    const server = (invocation.args[0] ?? "").replace(/^https?:\/\//, "").replace(/\/$/, "");
    const serveraddress = server === "" ? HUB_KEY : registryKey(server);
    const given = await givenCredentials(invocation, context);
    const kept = isNobody(given) ? await findCredentials(serveraddress, context).catch(() => undefined) : undefined;
    if (kept?.username && (await loginWithKept(kept, context))) return 0;
    const credentials = await newCredentials(given, kept?.username ?? "", serveraddress, context);
    const { IdentityToken: identitytoken, Status: status } = await checkAuth(context.engine, credentials);
    const { username = "" } = credentials;
    await keep(identitytoken ? { username, identitytoken, serveraddress } : credentials, context);
    await context.streams.stdout.write(`${status || "Login Succeeded"}\n`);
    return 0;
  },
});

function isNobody({ username, password }: GivenCredentials): boolean {
  return username === "" && password === "";
}

/** What the flags, and with --password-stdin the input, say. Throws InvalidParameterError. */
async function givenCredentials(
  { flags }: Invocation<typeof FLAGS>,
  { streams }: CommandContext,
): Promise<GivenCredentials> {
  const { username, password } = flags;
  if (flags["password-stdin"]) {
    if (password !== "")
      throw new InvalidParameterError("conflicting options: cannot specify both --password and --password-stdin");
    if (username === "") throw new InvalidParameterError("the --password-stdin option requires --username to be set");
    let text = "";
    for await (const chunk of streams.stdin.bytes()) text += Buffer.from(chunk).toString("utf8");
    return { username, password: text.replace(/\r?\n$/, "") };
  }
  if (password !== "") {
    await streams.stderr.write("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n");
  }
  return { username, password };
}

/** Whether the credentials that are kept already will do. */
async function loginWithKept(kept: RegistryCredentials, context: CommandContext): Promise<boolean> {
  const { stdout, stderr } = context.streams;
  await stderr.write(`Authenticating with existing credentials... [Username: ${kept.username}]\n`);
  const way = "To login with a different account, run 'docker logout' followed by 'docker login'";
  await stderr.write(`${noteText(way, hasColors(stderr, context.environment))}\n\n`);
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

/** Those that are given, or that the user has: asked for in the browser where it is Docker Hub, else on the terminal. */
async function newCredentials(
  given: GivenCredentials,
  usual: string,
  serveraddress: string,
  context: CommandContext,
): Promise<RegistryCredentials> {
  if ((given.username === "" || given.password === "") && !context.streams.stdin.isTerminal) {
    throw new InvalidParameterError("Error: Cannot perform an interactive login from a non TTY device");
  }
  if (serveraddress === HUB_KEY && isNobody(given) && !isDisabled(context)) {
    const { deviceLogin } = await import("../../login/device-login.ts");
    const credentials = await deviceLogin(context);
    if (credentials) return credentials;
  }
  return { ...(await askCredentials(given, usual, serveraddress, context)), serveraddress };
}

function isDisabled({ environment }: CommandContext): boolean {
  return parseGoBool(environment["DOCKER_CLI_DISABLE_OAUTH_LOGIN"] ?? "") ?? false;
}

async function keep(credentials: RegistryCredentials, context: CommandContext): Promise<void> {
  if (!(await storeCredentials(credentials.serveraddress, credentials, context))) return;
  await context.streams.stderr.write(
    `\nWARNING! Your credentials are stored unencrypted in '${configPath(context.configDirectory)}'.\nConfigure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n\n`,
  );
}
