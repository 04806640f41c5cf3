/** A URL for messages and logs, without user and password. Its query stays: it often says which file is meant. */
export function redactUrl(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  if (url.username === "" && url.password === "") return text;
  url.username = url.username === "" ? "" : "xxxxx";
  url.password = url.password === "" ? "" : "xxxxx";
  return url.href;
}

/** What names a repository's ref, or a file with "", to those who read where a build's sources come from. */
export function sourceUri(url: string, ref: string): string {
  return `${redactUrl(url)}${ref === "" ? "" : `#${ref}`}`;
}
