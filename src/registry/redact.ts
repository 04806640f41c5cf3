/** Query parameters that make an URL a secret: signed storage links, upload states, tokens. */
const SAFE_PARAMETERS: ReadonlySet<string> = new Set(["service", "scope", "n", "q", "last", "mount", "from", "digest"]);

/** An URL fit for messages and logs: no user info, and values of unknown query parameters replaced. */
export function redactUrl(url: URL): string {
  const shown = new URL(url);
  shown.username = "";
  shown.password = "";
  for (const name of shown.searchParams.keys()) {
    if (!SAFE_PARAMETERS.has(name)) shown.searchParams.set(name, "REDACTED");
  }
  return shown.href;
}
