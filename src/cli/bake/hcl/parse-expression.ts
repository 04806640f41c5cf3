import { CharReader } from "./char-reader.ts";
import { parseHeredoc, parseQuoted, parseTemplate } from "./parse-template.ts";
import type { BinaryOperator, HclExpression } from "./syntax.ts";

/** The loosest first. */
const LEVELS: readonly (readonly [pattern: RegExp, operators: readonly BinaryOperator[]])[] = [
  [/\|\|/y, ["||"]],
  [/&&/y, ["&&"]],
  [/==|!=/y, ["==", "!="]],
  [/<=|>=|<(?!<)|>/y, ["<=", ">=", "<", ">"]],
  [/[+-]/y, ["+", "-"]],
  [/\*|\/(?![/*])|%/y, ["*", "/", "%"]],
];
const NAME = /[A-Za-z_][\w-]*/y;
/** Deeper ones are nobody's. */
const MAX_DEPTH = 200;

/** Reads an expression. Throws InvalidParameterError with the line. */
export function parseExpression(reader: CharReader): HclExpression {
  return new ExpressionParser(reader).whole(false);
}

/** A text of HCL's JSON form, in which `${}` are expressions. */
export function parseTemplateText(text: string, name: string): HclExpression {
  return parseTemplate(new CharReader(text, name), (reader) => new ExpressionParser(reader).whole(true));
}

class ExpressionParser {
  readonly #reader: CharReader;
  #depth = 0;

  constructor(reader: CharReader) {
    this.#reader = reader;
  }

  /** `isLoose`: within brackets, where lines may end anywhere. */
  whole(isLoose: boolean): HclExpression {
    const reader = this.#reader;
    if (++this.#depth > MAX_DEPTH) throw reader.error("an expression that is nested too deep");
    const { line } = reader;
    const test = this.#binary(0, isLoose);
    reader.skip(isLoose);
    this.#depth--;
    if (!reader.take("?")) return test;
    reader.skip(true);
    const yes = this.whole(isLoose);
    reader.skip(true);
    reader.expect(":");
    reader.skip(true);
    return { kind: "condition", test, yes, no: this.whole(isLoose), line };
  }

  #binary(level: number, isLoose: boolean): HclExpression {
    const [pattern] = LEVELS[level] ?? [];
    if (!pattern) return this.#unary(isLoose);
    const reader = this.#reader;
    let left = this.#binary(level + 1, isLoose);
    for (;;) {
      const before = reader.at;
      reader.skip(isLoose);
      const { line } = reader;
      const found = reader.match(pattern)?.[0] as BinaryOperator | undefined;
      if (!found) {
        reader.at = before;
        return left;
      }
      reader.skip(true);
      left = { kind: "binary", operator: found, left, right: this.#binary(level + 1, isLoose), line };
    }
  }

  #unary(isLoose: boolean): HclExpression {
    const reader = this.#reader;
    const { line } = reader;
    for (const operator of ["!", "-"] as const) {
      if (reader.peek("!=") || !reader.take(operator)) continue;
      reader.skip(isLoose);
      return { kind: "unary", operator, of: this.#unary(isLoose), line };
    }
    return this.#postfix(this.#term());
  }

  #postfix(term: HclExpression): HclExpression {
    const reader = this.#reader;
    let of = term;
    for (;;) {
      const { line } = reader;
      if (reader.match(/\[\*\]|\.\*/y)) {
        const names = [...this.#names()];
        of = { kind: "splat", of, names, line };
      } else if (reader.take("[")) {
        reader.skip(true);
        const at = this.whole(true);
        reader.skip(true);
        reader.expect("]");
        of = { kind: "index", of, at, line };
      } else {
        const name = reader.match(/\.([A-Za-z_][\w-]*|\d+)/y)?.[1];
        if (name === undefined) return of;
        const value = /^\d/.test(name) ? Number(name) : name;
        of = { kind: "index", of, at: { kind: "literal", value, line }, line };
      }
    }
  }

  *#names(): Generator<string, void, void> {
    for (
      let found = this.#reader.match(/\.([A-Za-z_][\w-]*)/y);
      found;
      found = this.#reader.match(/\.([A-Za-z_][\w-]*)/y)
    )
      yield found[1] ?? "";
  }

  #term(): HclExpression {
    const reader = this.#reader;
    const { line } = reader;
    const number = reader.match(/\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y)?.[0];
    if (number !== undefined) return { kind: "literal", value: Number(number), line };
    if (reader.take('"')) return parseQuoted(reader, () => this.whole(true));
    const heredoc = parseHeredoc(reader, () => this.whole(true));
    if (heredoc) return heredoc;
    if (reader.take("(")) {
      reader.skip(true);
      const inner = this.whole(true);
      reader.skip(true);
      reader.expect(")");
      return inner;
    }
    if (reader.take("[")) return this.#list(line);
    if (reader.take("{")) return this.#object(line);
    const name = reader.match(NAME)?.[0];
    if (name === undefined) throw reader.error(`expected an expression, found ${reader.shown()}`);
    if (name === "true" || name === "false") return { kind: "literal", value: name === "true", line };
    if (name === "null") return { kind: "literal", value: null, line };
    return reader.take("(") ? this.#call(name, line) : { kind: "variable", name, line };
  }

  #call(name: string, line: number): HclExpression {
    const reader = this.#reader;
    const args: HclExpression[] = [];
    let isSpread = false;
    reader.skip(true);
    while (!reader.take(")")) {
      args.push(this.whole(true));
      reader.skip(true);
      isSpread = reader.take("...");
      reader.skip(true);
      if (!reader.take(",") && !reader.peek(")"))
        throw reader.error(`expected "," or ")" in the arguments of ${name}, found ${reader.shown()}`);
      reader.skip(true);
    }
    return { kind: "call", name, args, isSpread, line };
  }

  #list(line: number): HclExpression {
    const reader = this.#reader;
    reader.skip(true);
    if (reader.match(/for\s/y)) return this.#for(line, "]");
    const items: HclExpression[] = [];
    while (!reader.take("]")) {
      items.push(this.whole(true));
      reader.skip(true);
      if (!reader.take(",") && !reader.peek("]")) throw reader.error(`expected "," or "]", found ${reader.shown()}`);
      reader.skip(true);
    }
    return { kind: "list", items, line };
  }

  #object(line: number): HclExpression {
    const reader = this.#reader;
    reader.skip(true);
    if (reader.match(/for\s/y)) return this.#for(line, "}");
    const items: (readonly [HclExpression, HclExpression])[] = [];
    while (!reader.take("}")) {
      const key = this.#key();
      reader.skip(true);
      if (!reader.take("=") && !reader.take(":"))
        throw reader.error(`expected "=" behind a key, found ${reader.shown()}`);
      reader.skip(true);
      items.push([key, this.whole(false)]);
      reader.skip(false);
      if (!reader.match(/[,\n]/y) && !reader.peek("}"))
        throw reader.error(`expected a new line, "," or "}" behind a value, found ${reader.shown()}`);
      reader.skip(true);
    }
    return { kind: "object", items, line };
  }

  /** A bare name is a text; a variable stands in brackets. */
  #key(): HclExpression {
    const reader = this.#reader;
    const { line } = reader;
    const name = reader.match(/([A-Za-z_][\w-]*)(?=\s*[=:])/y)?.[0];
    return name === undefined ? this.whole(false) : { kind: "literal", value: name, line };
  }

  #for(line: number, end: "]" | "}"): HclExpression {
    const reader = this.#reader;
    reader.skip(true);
    const names = reader.match(/([A-Za-z_][\w-]*)\s*(?:,\s*([A-Za-z_][\w-]*))?\s+in\s/y);
    if (!names) throw reader.error("expected NAME in … behind for");
    const [, first = "", second] = names;
    reader.skip(true);
    const over = this.whole(true);
    reader.skip(true);
    reader.expect(":");
    reader.skip(true);
    const left = this.whole(true);
    reader.skip(true);
    const hasKey = end === "}";
    if (hasKey) reader.expect("=>");
    reader.skip(true);
    const value = hasKey ? this.whole(true) : left;
    reader.skip(true);
    const isGrouped = hasKey && reader.take("...");
    reader.skip(true);
    const filter = reader.match(/if(?=[\s(!])/y) ? this.#filter() : undefined;
    reader.skip(true);
    reader.expect(end);
    const key = hasKey ? left : undefined;
    const [keyName, valueName] = second === undefined ? ["", first] : [first, second];
    return { kind: "for", keyName, valueName, over, key, value, isGrouped, filter, line };
  }

  #filter(): HclExpression {
    this.#reader.skip(true);
    return this.whole(true);
  }
}
