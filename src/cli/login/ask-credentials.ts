/** Asks the user who they are. https://github.com/docker/cli/blob/v28.2.2/cli/command/registry.go */
import { InvalidParameterError } from "#errors/errors.ts";
import { HUB_KEY } from "../config/registry-auth.ts";
import type { CommandContext } from "../grammar/command.ts";
import { noteText, styled } from "../output/note.ts";
import { hasColors } from "../output/terminal-look.ts";
import { readHidden, readLine } from "../prompt.ts";

const REGISTER_HINT =
  "Log in with your Docker ID or email address to push and pull images from Docker Hub. If you don't have a Docker ID, head over to https://hub.docker.com/ to create one.\n";
const TOKEN_HINT =
  "You can log in with your password or a Personal Access Token (PAT). Using a limited-scope PAT grants better security and is required for organizations using SSO. Learn more at https://docs.docker.com/go/access-tokens/\n\n";

export interface GivenCredentials {
  readonly username: string;
  readonly password: string;
}

/** Asks for what is not given yet; `usual` is who it was before. Throws InvalidParameterError in docker's words. */
export async function askCredentials(
  given: GivenCredentials,
  usual: string,
  serveraddress: string,
  context: CommandContext,
): Promise<GivenCredentials> {
  const { streams } = context;
  const isHub = serveraddress === HUB_KEY;
  let username = given.username.trim();
  if (username === "") {
    if (isHub) await streams.stdout.write(REGISTER_HINT + TOKEN_HINT);
    username = (await readLine(usual === "" ? "Username: " : `Username (${usual}): `, streams)) || usual;
    if (username === "") throw new InvalidParameterError("Error: Non-null Username Required");
  }
  if (given.password.trim() !== "") return { username, password: given.password };
  if (isHub) await streams.stderr.write(passwordHint(hasColors(streams.stderr, context.environment)));
  const password = (await readHidden("Password: ", streams)).trim();
  if (password === "") throw new InvalidParameterError("Error: Password Required");
  return { username, password };
}

function passwordHint(fancy: boolean): string {
  const address = styled("https://app.docker.com/settings", "underline", fancy);
  return noteText(`A Personal Access Token (PAT) can be used instead.\nTo create a PAT, visit ${address}\n\n`, fancy);
}
