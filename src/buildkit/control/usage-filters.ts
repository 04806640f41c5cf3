import type { CacheEntry } from "#engine/builds/cache-prune.ts";
import { InvalidParameterError } from "#errors/errors.ts";

type Matcher = (entry: CacheEntry) => boolean;

/** What a record has under a name; undefined for nothing, true where being there is all that there is to say. */
const FIELDS: Readonly<Record<string, (entry: CacheEntry) => string | true | undefined>> = {
  id: ({ id }) => id,
  // Each step stands on a root, whoever made that.
  parents: () => "",
  description: ({ description }) => description,
  type: ({ type }) => type,
  inuse: ({ inUse }) => inUse || undefined,
  mutable: (entry) => isMutable(entry) || undefined,
  immutable: (entry) => !isMutable(entry) || undefined,
  shared: ({ shared }) => shared || undefined,
  private: ({ shared }) => !shared || undefined,
};

/** `type==regular`, `id~=^ab`, `shared`: a field, an operator and a value that may be quoted. */
const TERM = /^([a-z]+)(?:(==|!=|~=)(.*))?$/s;
/** Without groups no expression takes longer than a few passes over its text. */
const EXPRESSION = /^[^(){}]{0,100}$/;

/**
 * containerd's filters over cache records: terms joined by commas must all hold, one of several filters is enough. Throws InvalidParameterError.
 * https://github.com/containerd/containerd/blob/main/pkg/filters/parser.go and BuildKit's cache/manager.go (adaptUsageInfo)
 */
export function usageFilter(filters: readonly string[]): Matcher {
  const all = filters.filter((filter) => filter !== "").map(oneFilter);
  return (entry) => all.length === 0 || all.some((matches) => matches(entry));
}

function oneFilter(filter: string): Matcher {
  const terms = (filter.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? []).map((term) => oneTerm(term));
  return (entry) => terms.every((matches) => matches(entry));
}

function oneTerm(term: string): Matcher {
  const [, name = "", operator, quoted = ""] = TERM.exec(term) ?? [];
  const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
  if (!field) throw invalid(term);
  const value = unquoted(quoted, term);
  switch (operator) {
    case undefined:
      return (entry) => (field(entry) ?? "") !== "";
    case "~=": {
      const expression = expressionOf(value, term);
      return (entry) => expression.test(textOf(field(entry)));
    }
    case "!=":
      return (entry) => textOf(field(entry)) !== value;
    default:
      return (entry) => textOf(field(entry)) === value;
  }
}

/** Clients write `inuse==true` too. */
function textOf(value: string | true | undefined): string {
  return value === undefined ? "false" : String(value);
}

function unquoted(text: string, term: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return String(JSON.parse(text));
  } catch (cause) {
    throw new InvalidParameterError(`invalid filter ${JSON.stringify(term)}`, { cause });
  }
}

function expressionOf(text: string, term: string): RegExp {
  try {
    if (EXPRESSION.test(text)) return new RegExp(text);
  } catch {
    // Told below.
  }
  throw invalid(term);
}

function invalid(term: string): InvalidParameterError {
  return new InvalidParameterError(`invalid filter ${JSON.stringify(term.slice(0, 200))}`);
}

function isMutable({ type }: CacheEntry): boolean {
  return type === "source.local" || type === "exec.cachemount";
}
