/** What a caller may prove itself with: the content of the API's X-Registry-Auth header. All of it is secret. */
export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  /** An OAuth refresh token that a login left. */
  readonly identityToken?: string;
  /** A bearer token, to be sent as it is. */
  readonly registryToken?: string;
}

/** The value of a Basic Authorization header, or undefined without a user name. https://www.rfc-editor.org/rfc/rfc7617 */
export function basicAuthorization(credentials: Credentials): string | undefined {
  if (!credentials.username) return undefined;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password ?? ""}`).toString("base64")}`;
}
