/** What a registry asks of a client: a `WWW-Authenticate` header. https://www.rfc-editor.org/rfc/rfc9110#name-www-authenticate */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const MAX_HEADER = 8192;

/** Reads all challenges of a header value; what it cannot read is left out. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  const text = header.slice(0, MAX_HEADER);
  // A scheme stands alone before its first parameter; a parameter has "=", its value is a token or a quoted string.
  const pattern = /\s*,?\s*(?:([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|([\w-]+)(?=\s|,|$))/gy;
  for (const [, name, quoted, plain, scheme] of text.matchAll(pattern)) {
    if (scheme) challenges.push({ scheme: scheme.toLowerCase(), parameters: {} });
    const value = quoted?.replace(/\\(.)/g, "$1") ?? plain;
    const last = challenges.at(-1);
    if (last && name && value !== undefined) last.parameters[name.toLowerCase()] = value;
  }
  return challenges;
}

/** The challenge to answer: bearer when it is offered, else basic. */
export function chooseChallenge(header: string | null): Challenge | undefined {
  const challenges = parseChallenges(header ?? "");
  return challenges.find(({ scheme }) => scheme === "bearer") ?? challenges.find(({ scheme }) => scheme === "basic");
}
