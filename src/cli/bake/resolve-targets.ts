import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { closestWord } from "#lib/closest-word.ts";
import type { BakeDefinitions } from "./bake-definitions.ts";
import { checkOverrides, type Override, overridden } from "./overrides.ts";
import { mergeFields, normalized, type TargetFields } from "./target-fields.ts";

/** What is to be built. */
export interface BakePlan {
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** By name: those that were asked for, and those whose results these take. */
  readonly targets: ReadonlyMap<string, TargetFields>;
  /** Whose results others take as contexts. */
  readonly linked: ReadonlySet<string>;
  /** What is only there for others. */
  readonly hidden: ReadonlySet<string>;
}

export interface BakeWish {
  /** Targets and groups; none means `default`. */
  readonly names: readonly string[];
  readonly overrides: readonly Override[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Throws NotFoundError, InvalidParameterError in buildx's words. https://github.com/docker/buildx/blob/master/bake/bake.go (ReadTargets) */
export function resolveTargets(definitions: BakeDefinitions, wish: BakeWish): BakePlan {
  const resolver = new TargetResolver(definitions, wish);
  const asked = wish.names.length === 0 ? ["default"] : wish.names;
  const groups = new Map<string, readonly string[]>();
  for (const name of asked) {
    const found = resolver.group(name);
    for (const target of found.targets) resolver.add(target);
    for (const group of found.groups) groups.set(group, definitions.groups.get(group) ?? []);
  }
  const others = asked.filter((name) => name !== "default");
  if (others.length > 0) groups.set("default", [...new Set([...(groups.get("default") ?? []), ...others])]);
  const direct = new Set(resolver.targets.keys());
  for (const name of direct) resolver.link(name, []);
  const { targets, linked } = resolver;
  return { groups, targets, linked, hidden: new Set([...targets.keys()].filter((name) => !direct.has(name))) };
}

class TargetResolver {
  readonly targets = new Map<string, TargetFields>();
  readonly linked = new Set<string>();
  readonly #definitions: BakeDefinitions;
  readonly #wish: BakeWish;

  constructor(definitions: BakeDefinitions, wish: BakeWish) {
    this.#definitions = definitions;
    this.#wish = wish;
    checkOverrides(wish.overrides, [...definitions.targets.keys()]);
  }

  /** What a name means: the targets of a group and of its groups, or the one target. */
  group(
    name: string,
    seen: ReadonlySet<string> = new Set(),
  ): { readonly targets: readonly string[]; readonly groups: readonly string[] } {
    const members = this.#definitions.groups.get(name);
    if (!members) return { targets: [name], groups: [] };
    if (seen.has(name)) return { targets: [], groups: [] };
    const below = members.map((member) => this.group(member, new Set([...seen, name])));
    return {
      targets: [...new Set(below.flatMap(({ targets }) => targets))],
      groups: [...new Set([name, ...below.flatMap(({ groups }) => groups)])],
    };
  }

  add(name: string): TargetFields {
    const known = this.targets.get(name);
    if (known) return known;
    const { inherits: _, ...fields } = this.#inherited(name, []);
    const { overrides, environment } = this.#wish;
    const whole = { context: ".", dockerfile: "Dockerfile", ...fields };
    const target = normalized(overridden(name, whole, overrides, environment));
    const clean = { ...target, context: (target.context ?? ".").replace(/^cwd:\/\//, "") || "." };
    this.targets.set(name, clean);
    return clean;
  }

  /** The targets behind `target:NAME` among contexts. */
  link(name: string, above: readonly string[]): void {
    const target = this.targets.get(name);
    for (const value of Object.values(target?.contexts ?? {})) {
      if (!value.startsWith("target:")) continue;
      const other = value.slice("target:".length);
      if (other === name) throw new InvalidParameterError(`target ${name} cannot link to itself`);
      if (above.includes(other)) throw new InvalidParameterError(`infinite loop from ${name} to ${other}`);
      const isKnown = this.targets.has(other);
      const found = this.add(other);
      this.linked.add(other);
      if (!isKnown) {
        const { output: _, ...rest } = found;
        this.targets.set(other, rest);
      }
      checkPlatforms(name, target?.platforms ?? [], other, found.platforms ?? []);
      this.link(other, [...above, name]);
    }
  }

  #inherited(name: string, above: readonly string[]): TargetFields {
    const own = this.#definitions.targets.get(name);
    if (!own) {
      const near = closestWord(name, [...this.#definitions.targets.keys()]);
      throw new NotFoundError(`failed to find target ${name}${near === undefined ? "" : `. Did you mean ${near}?`}`);
    }
    if (above.includes(name)) return {};
    const bases = (own.inherits ?? []).map((base) => this.#inherited(base, [...above, name]));
    return [...bases, own].reduce(mergeFields, {});
  }
}

function checkPlatforms(name: string, own: readonly string[], other: string, theirs: readonly string[]): void {
  if (own.length < 2 || theirs.length < 2) return;
  if (own.toSorted().join() === theirs.toSorted().join()) return;
  throw new InvalidParameterError(
    `target ${other} can't be used by ${name} because its platforms [${theirs.join(" ")}] are different from [${own.join(" ")}]`,
  );
}
