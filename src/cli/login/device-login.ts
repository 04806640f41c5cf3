/** A login to Docker Hub in the browser, in docker's words. https://github.com/docker/cli/blob/v28.2.2/cli/internal/oauth/manager/manager.go */
import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { BerthError, errorMessage, UnavailableError } from "#errors/errors.ts";
import { findCredentials, HUB_KEY, type RegistryCredentials } from "../config/registry-auth.ts";
import { eraseCredentials, storeCredentials } from "../config/store-credentials.ts";
import type { CommandContext } from "../grammar/command.ts";
import { noteText, styled } from "../output/note.ts";
import { hasColors } from "../output/terminal-look.ts";
import { StatusError } from "../status-error.ts";
import type { Streams } from "../streams.ts";
import {
  CLIENT_ID,
  createAccessToken,
  type DeviceCode,
  type HubTenant,
  type HubTokens,
  hubTenant,
  requestDeviceCode,
  requestTokens,
  revokeToken,
  usernameOf,
} from "./hub-tenant.ts";

/** Where the tokens of the login itself are kept: `logout` revokes them. */
const ACCESS_KEY = `${HUB_KEY}access-token`;
const REFRESH_KEY = `${HUB_KEY}refresh-token`;
/** Between the refresh token and the program that it was given to. */
const OWNER_MARK = "..";

/**
 * Has the user confirm a code in the browser, and gives what to log in with from then on. Undefined when the Hub does not offer that, which has
 * been said. Throws StatusError when it comes to nothing.
 */
export async function deviceLogin(context: CommandContext): Promise<RegistryCredentials | undefined> {
  const { streams, signal } = context;
  const tenant = hubTenant(context.environment);
  const code = await requestDeviceCode(tenant, signal).catch((error: unknown) => {
    if (signal.aborted) throw new StatusError(1, "login canceled", { cause: error });
    if (!(error instanceof BerthError)) throw error;
  });
  if (!code) {
    await streams.stderr.write("Failed to start web-based login - falling back to command line login...\n\n");
    return undefined;
  }
  await streams.stderr.write(instructions(code, hasColors(streams.stderr, context.environment)));
  void openOnEnter(code, streams).catch(() => undefined);
  const tokens = await confirmedTokens(tenant, code, signal);
  const username = usernameOf(tokens);
  await keepTokens(tokens, username, context);
  return { username, password: await createAccessToken(tenant, tokens, signal), serveraddress: HUB_KEY };
}

function instructions(code: DeviceCode, fancy: boolean): string {
  const address = code.verification_uri_complete.split("?", 1)[0] ?? "";
  const enter = styled("Press ENTER", "bold", fancy);
  return [
    `${styled("\nUSING WEB-BASED LOGIN", "bold", fancy)}\n`,
    noteText("To sign in with credentials on the command line, use 'docker login -u <username>'\n", fancy),
    `\nYour one-time device confirmation code is: ${styled(`${code.user_code}\n`, "bold", fancy)}`,
    `${enter} to open your browser or submit your device code here: ${styled(`${address}\n`, "underline", fancy)}`,
    "\nWaiting for authentication in the browser…\n",
  ].join("");
}

/** The first line of the input opens the browser. */
async function openOnEnter(code: DeviceCode, streams: Streams): Promise<void> {
  for await (const chunk of streams.stdin.bytes()) if (chunk.includes(0x0a) || chunk.includes(0x0d)) break;
  // Only the Hub's page, whatever the answer named.
  if (!/^https?:\/\//.test(code.verification_uri_complete)) return;
  const browser = spawn("xdg-open", [code.verification_uri_complete], { stdio: "ignore", detached: true });
  browser.once("error", () => undefined).unref();
}

/** Asks as often as the Hub wants it. Throws StatusError in docker's words. */
async function confirmedTokens(tenant: HubTenant, code: DeviceCode, signal: AbortSignal): Promise<HubTokens> {
  const deadline = Date.now() + code.expires_in * 1000;
  try {
    while (Date.now() < deadline) {
      await delay(code.interval * 1000, undefined, { signal });
      const tokens = await requestTokens(tenant, code, signal);
      if (tokens) return tokens;
    }
  } catch (cause) {
    const text = signal.aborted ? "login canceled" : `failed waiting for authentication: ${errorMessage(cause)}`;
    throw new StatusError(1, text, { cause });
  }
  throw new StatusError(1, "failed waiting for authentication: timed out waiting for device token");
}

async function keepTokens(tokens: HubTokens, username: string, context: CommandContext): Promise<void> {
  const access = { username, password: tokens.access_token, serveraddress: ACCESS_KEY };
  const refresh = {
    username,
    password: `${tokens.refresh_token}${OWNER_MARK}${CLIENT_ID}`,
    serveraddress: REFRESH_KEY,
  };
  await storeCredentials(ACCESS_KEY, access, context);
  await storeCredentials(REFRESH_KEY, refresh, context);
}

/** Forgets and revokes the tokens of {@link deviceLogin}, if there are any. Throws UnavailableError. */
export async function deviceLogout(context: CommandContext): Promise<void> {
  const kept = await findCredentials(REFRESH_KEY, context);
  const [token = "", owner, ...more] = (kept?.password ?? "").split(OWNER_MARK);
  // Not what this login had kept.
  if (owner === undefined || more.length > 0) return;
  // First here: who fails to reach the Hub is logged out all the same.
  await eraseCredentials(ACCESS_KEY, context);
  await eraseCredentials(REFRESH_KEY, context);
  await revokeToken(hubTenant(context.environment), token, context.signal).catch((cause: unknown) => {
    const failed =
      "credentials erased successfully, but there was a failure to revoke the OAuth refresh token with the tenant";
    throw new UnavailableError(`${failed}: ${errorMessage(cause)}`, { cause });
  });
}
