import { InvalidParameterError } from "#errors/errors.ts";

/** containerd's filters, as far as buildx writes them: `type==regular`, `inuse==true`, `until==24h`, `id~=abc`, several joined by commas. */
const TERM = /^([a-z-]+)(==|=|~=|!=)?(.*)$/;

/** Filters by name. Throws InvalidParameterError. */
export function parseFilters(filters: readonly string[]): Map<string, string[]> {
  const parsed = new Map<string, string[]>();
  for (const term of filters.flatMap((filter) => filter.split(",")).filter((text) => text !== "")) {
    const [, name = "", operator = "", value = ""] = TERM.exec(term) ?? [];
    if (name === "" || operator === "~=") throw new InvalidParameterError(`invalid filter ${JSON.stringify(term)}`);
    const key = operator === "!=" ? `${name}!` : name;
    parsed.set(key, [...(parsed.get(key) ?? []), operator === "" ? "true" : value]);
  }
  return parsed;
}
