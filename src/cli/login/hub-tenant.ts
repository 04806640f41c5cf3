/** What Docker Hub answers to a login in the browser: OAuth's device flow. https://www.rfc-editor.org/rfc/rfc8628 */
import { errorMessage, InvalidParameterError, UnavailableError } from "#errors/errors.ts";
import { integer, object, text } from "#lib/json-decoder.ts";
import { PROGRAM } from "../program.ts";
import { VERSION } from "../version.ts";

/** Where it is asked. Another Hub, or a proxy before it, is named by BERTH_HUB_LOGIN and BERTH_HUB. */
export interface HubTenant {
  /** Gives tokens. */
  readonly loginUrl: string;
  /** The Hub's own address, which its tokens are for. */
  readonly hubUrl: string;
}

export interface DeviceCode {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri_complete: string;
  /** Seconds until it is worth nothing. */
  readonly expires_in: number;
  /** Seconds between two questions. */
  readonly interval: number;
}

export interface HubTokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** The public name of docker's command line: the Hub lets no other program log in. */
export const CLIENT_ID = "L4v0dmlNBpYUjGGab0C2JtgTgXr1Qz4d";
const SCOPE = "openid offline_access";
const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";
const PATIENCE_MS = 60_000;

export function hubTenant(environment: Readonly<Record<string, string | undefined>>): HubTenant {
  return {
    loginUrl: environment["BERTH_HUB_LOGIN"] || "https://login.docker.com",
    hubUrl: environment["BERTH_HUB"] || "https://hub.docker.com",
  };
}

const deviceCode = object<DeviceCode>(
  { device_code: text, user_code: text, verification_uri_complete: text, expires_in: integer, interval: integer },
  { device_code: "", user_code: "", verification_uri_complete: "", expires_in: 0, interval: 0 },
);

interface TokenAnswer extends HubTokens {
  readonly error: string;
  readonly error_description: string;
}

const tokenAnswer = object<TokenAnswer>(
  { access_token: text, refresh_token: text, error: text, error_description: text },
  { access_token: "", refresh_token: "", error: "", error_description: "" },
);

/** Begins a login. Throws UnavailableError when there is no way to. */
export async function requestDeviceCode(tenant: HubTenant, signal: AbortSignal): Promise<DeviceCode> {
  const form = { client_id: CLIENT_ID, audience: tenant.hubUrl, scope: SCOPE };
  const response = await postForm(`${tenant.loginUrl}/oauth/device/code`, form, signal);
  if (!response.ok) throw new UnavailableError(await problemOf(response));
  const code = deviceCode(await jsonOf(response), "");
  if (code.user_code === "") throw new UnavailableError("the answer has no user code");
  return code;
}

/** The tokens of a login that the user has confirmed; undefined while that is not done. Throws UnavailableError when it was refused. */
export async function requestTokens(
  tenant: HubTenant,
  code: DeviceCode,
  signal: AbortSignal,
): Promise<HubTokens | undefined> {
  const form = { client_id: CLIENT_ID, grant_type: DEVICE_GRANT, device_code: code.device_code };
  const response = await postForm(`${tenant.loginUrl}/oauth/token`, form, signal);
  // Until the user is done the status is 403, with the reason in the body.
  const answer = tokenAnswer(await jsonOf(response), "");
  if (answer.error === "authorization_pending" || answer.error === "slow_down") return undefined;
  if (answer.error !== "") throw new UnavailableError(answer.error_description || answer.error);
  return answer;
}

/** Makes a password for this machine. Throws UnavailableError. */
export async function createAccessToken(tenant: HubTenant, tokens: HubTokens, signal: AbortSignal): Promise<string> {
  const response = await ask(`${tenant.hubUrl}/v2/access-tokens/desktop-generate`, {
    method: "POST",
    headers: { authorization: `Bearer ${tokens.access_token}`, "content-type": "application/json" },
    signal,
  });
  if (response.status !== 201) {
    throw new UnavailableError(`unexpected response from Hub: ${response.status} ${response.statusText}`);
  }
  return generated(await jsonOf(response), "").data.token;
}

interface Generated {
  readonly data: { readonly token: string };
}

const generated = object<Generated>(
  { data: object<Generated["data"]>({ token: text }, { token: "" }) },
  { data: { token: "" } },
);

/** Makes a refresh token worth nothing. Throws UnavailableError. */
export async function revokeToken(tenant: HubTenant, token: string, signal: AbortSignal): Promise<void> {
  const response = await postForm(`${tenant.loginUrl}/oauth/revoke`, { client_id: CLIENT_ID, token }, signal);
  if (!response.ok) throw new UnavailableError(await problemOf(response));
}

/** The user that an access token is of. Throws InvalidParameterError. */
export function usernameOf({ access_token: token }: HubTokens): string {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    const domain = object<Claims>({ "https://hub.docker.com": user }, { "https://hub.docker.com": { username: "" } });
    return domain(claims, "")["https://hub.docker.com"].username;
  } catch (cause) {
    throw new InvalidParameterError(`failed to parse token claims: ${errorMessage(cause)}`, { cause });
  }
}

interface User {
  readonly username: string;
}
interface Claims {
  /** Named by a URL, as Auth0 has it for what is not in the standard. */
  readonly "https://hub.docker.com": User;
}
const user = object<User>({ username: text }, { username: "" });

function postForm(url: string, form: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response> {
  return ask(url, { method: "POST", body: new URLSearchParams(form), signal });
}

async function ask(url: string, options: RequestInit & { readonly signal: AbortSignal }): Promise<Response> {
  const headers = new Headers(options.headers);
  headers.set("user-agent", `${PROGRAM}-cli/${VERSION}`);
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    return await fetch(url, { ...options, headers, signal });
  } catch (cause) {
    throw new UnavailableError(`cannot reach ${url}: ${errorMessage(cause)}`, { cause });
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    throw new UnavailableError(`failed to decode response: ${errorMessage(cause)}`, { cause });
  }
}

async function problemOf(response: Response): Promise<string> {
  const { error_description: problem } = tokenAnswer(await response.json().catch(() => ({})), "");
  return problem || `unexpected response from tenant: ${response.status} ${response.statusText}`;
}
