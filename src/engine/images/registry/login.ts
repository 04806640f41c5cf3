import type { ImageContext } from "#engine/images/image-context.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import type { Credentials } from "#registry/credentials.ts";

const HUB = "docker.io";

/**
 * Asks a registry whether it takes the credentials. `server` is what clients call it: `registry:5000`, `https://registry/v1/`, "" for Docker
 * Hub. Resolves with the token to keep in place of the password, "" for none. Throws UnauthorizedError, UnavailableError, InvalidParameterError.
 */
export async function checkLogin(
  context: ImageContext,
  server: string,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<string> {
  return (await context.registry.checkLogin(domainOf(server), credentials, signal)) ?? "";
}

function domainOf(server: string): string {
  const address = server === "" ? HUB : server.replace(/^https?:\/\//, "").replace(/\/.*$/s, "");
  if (!URL.canParse(`https://${address}`)) throw new InvalidParameterError(`invalid registry address: "${server}"`);
  return ["index.docker.io", "registry-1.docker.io"].includes(address) ? HUB : address;
}
