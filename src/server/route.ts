import type { RequestContext } from "./request-context.ts";

/** One line of a route table. `{id}` matches a segment, `{name*}` any text with slashes. */
export type Route = readonly [method: "GET" | "POST" | "PUT" | "DELETE" | "HEAD", pattern: string, handler: Handler];

export type Handler = (request: RequestContext) => Promise<void> | void;

export interface RouteMatch {
  readonly handler: Handler;
  readonly params: Readonly<Record<string, string>>;
}

interface CompiledRoute {
  readonly expression: RegExp;
  readonly handler: Handler;
}

/** Finds the handler of a method and path (without version). Tables are compiled once, when the server starts. */
export class Router {
  readonly #routes = new Map<string, CompiledRoute[]>();

  constructor(routes: readonly Route[]) {
    for (const [method, pattern, handler] of routes) {
      const compiled = this.#routes.get(method) ?? [];
      compiled.push({ expression: compile(pattern), handler });
      this.#routes.set(method, compiled);
    }
  }

  match(method: string, path: string): RouteMatch | undefined {
    for (const route of this.#routes.get(method) ?? []) {
      const match = route.expression.exec(path);
      if (match) return { handler: route.handler, params: decoded(match.groups ?? {}) };
    }
    return undefined;
  }
}

function compile(pattern: string): RegExp {
  const source = pattern.replace(
    /\{(\w+)(\*?)\}/g,
    (_, name: string, star: string) => `(?<${name}>${star ? ".+" : "[^/]+"})`,
  );
  return new RegExp(`^${source}$`);
}

function decoded(groups: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, safeDecode(value)]));
}

/** A path with a stray `%` names nothing that exists; it is no reason to fail in the decoder. */
function safeDecode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
