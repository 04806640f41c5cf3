import { InvalidParameterError } from "#errors/errors.ts";
import type { CheckDirective } from "../parse/check-directive.ts";
import type { SourceRange } from "../parse/source.ts";
import { CHECK_RULES, type CheckRule, type RuleName } from "./rules.ts";

export interface CheckFinding {
  readonly rule: RuleName;
  readonly message: string;
  readonly source: SourceRange;
}

/** Collects what the checks find, as far as `# check=` or BUILDKIT_DOCKERFILE_CHECK lets them. */
export class CheckFindings {
  readonly #directive: CheckDirective;
  readonly #found: CheckFinding[] = [];

  constructor(directive: CheckDirective) {
    this.#directive = directive;
  }

  get all(): readonly CheckFinding[] {
    return this.#found;
  }

  /** `args` fill the rule's words. */
  report(name: RuleName, source: SourceRange, ...args: readonly string[]): void {
    const rule: CheckRule = CHECK_RULES[name];
    const { skip, experimental } = this.#directive;
    const isOn = rule.isExperimental ? names(experimental, name) : !names(skip, name);
    if (isOn) this.#found.push({ rule: name, message: rule.format(...args), source });
  }

  /** Throws InvalidParameterError when `error=true` and something was found. */
  refuse(): void {
    if (!this.#directive.error || this.#found.length === 0) return;
    const rules = [...new Set(this.#found.map(({ rule }) => rule))].sort();
    throw new InvalidParameterError(`lint violation found for rules: ${rules.join(", ")}`);
  }
}

/** One line, as progress and summaries show it. */
export function findingLine({ rule, message, source }: CheckFinding): string {
  return `${rule}: ${message} (line ${source.startLine})`;
}

function names(list: CheckDirective["skip"], rule: RuleName): boolean {
  return list === "all" || list.includes(rule);
}
