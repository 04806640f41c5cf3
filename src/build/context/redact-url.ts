/** A URL for messages and logs: user, password and query may be secrets. */
export function redactUrl(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  if (url.username === "" && url.password === "") return text;
  url.username = url.username === "" ? "" : "xxxxx";
  url.password = url.password === "" ? "" : "xxxxx";
  return url.href;
}
