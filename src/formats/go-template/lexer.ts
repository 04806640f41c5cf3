/** Text and the words inside `{{ }}`. https://github.com/golang/go/blob/go1.24.3/src/text/template/parse/lex.go */
import { TemplateError } from "./template-error.ts";

export type TokenKind =
  | "text"
  | "open"
  | "close"
  | "field"
  | "variable"
  | "identifier"
  | "keyword"
  | "dot"
  | "nil"
  | "bool"
  | "string"
  | "rawString"
  | "char"
  | "number"
  | "pipe"
  | "leftParen"
  | "rightParen"
  | "assign"
  | "declare"
  | "comma"
  | "end";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Offset in the template. */
  readonly position: number;
  /** `.a .b` are two arguments, `.a.b` is one. */
  readonly spaceBefore: boolean;
}

const KEYWORDS = ["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"];

/** In the order in which they are tried. */
const WORDS: readonly (readonly [TokenKind, RegExp])[] = [
  ["declare", /:=/y],
  ["assign", /=/y],
  ["pipe", /\|/y],
  ["comma", /,/y],
  ["leftParen", /\(/y],
  ["rightParen", /\)/y],
  ["string", /"(?:[^"\\\n]|\\[^\n])*"/y],
  ["rawString", /`[^`]*`/y],
  ["char", /'(?:[^'\\\n]|\\[^\n])+'/y],
  [
    "number",
    /[+-]?(?:0[xX][0-9a-fA-F_]+(?:\.[0-9a-fA-F_]*)?[pP][+-]?\d+|0[xXbBoO][0-9a-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)/y,
  ],
  ["field", /\.[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ["variable", /\$[\p{L}\p{Nd}_]*/uy],
  ["identifier", /[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ["dot", /\./y],
];

/** Cuts a template into tokens, the last one of kind `end`. Throws TemplateError. */
export function lex(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let position = 0;
  let trimNext = false;
  for (;;) {
    const open = source.indexOf("{{", position);
    const text = source.slice(position, open < 0 ? source.length : open);
    const trimLeft = open >= 0 && /^-[ \t\r\n]/.test(source.slice(open + 2, open + 4));
    pushText(tokens, text, position, trimNext, trimLeft);
    if (open < 0) break;
    const start = open + (trimLeft ? 4 : 2);
    const isComment = source.startsWith("/*", trimLeft ? skipSpace(source, start) : start);
    const end = isComment ? skipComment(source, start) : lexAction(source, start, open, tokens);
    position = end.position;
    trimNext = end.trim;
  }
  tokens.push({ kind: "end", text: "", position: source.length, spaceBefore: false });
  return tokens;
}

interface ActionEnd {
  readonly position: number;
  /** The action ended in ` -}}`. */
  readonly trim: boolean;
}

function pushText(tokens: Token[], text: string, position: number, trimStart: boolean, trimEnd: boolean): void {
  const left = trimStart ? text.replace(/^[ \t\r\n]+/, "") : text;
  const cut = trimEnd ? left.replace(/[ \t\r\n]+$/, "") : left;
  if (cut === "") return;
  tokens.push({ kind: "text", text: cut, position: position + text.length - left.length, spaceBefore: false });
}

function skipSpace(source: string, position: number): number {
  let at = position;
  while (" \t\r\n".includes(source[at] ?? "x")) at++;
  return at;
}

function skipComment(source: string, start: number): ActionEnd {
  const end = source.indexOf("*/", start);
  if (end < 0) throw lexError(source, start, "unclosed comment");
  const close = /(?:[ \t\r\n]+(-))?\}\}/y;
  close.lastIndex = end + 2;
  const match = close.exec(source);
  if (!match) throw lexError(source, end, "comment ends before closing delimiter");
  return { position: close.lastIndex, trim: match[1] !== undefined };
}

/** Reads the words of one action. */
function lexAction(source: string, start: number, open: number, tokens: Token[]): ActionEnd {
  tokens.push({ kind: "open", text: "{{", position: open, spaceBefore: false });
  const close = /(?:[ \t\r\n]+(-))?\}\}/y;
  let depth = 0;
  for (let at = start; ; ) {
    close.lastIndex = at;
    const closing = close.exec(source);
    const next = skipSpace(source, at);
    if (closing || source.startsWith("}}", next)) {
      const trim = closing?.[1] !== undefined;
      const from = closing ? at : next;
      if (depth > 0) throw lexError(source, from, "unclosed left paren");
      tokens.push({ kind: "close", text: "}}", position: from, spaceBefore: false });
      return { position: closing ? close.lastIndex : next + 2, trim };
    }
    if (next >= source.length) throw lexError(source, next, "unclosed action");
    const token = lexWord(source, next, next > at, tokens.at(-1));
    depth += token.kind === "leftParen" ? 1 : token.kind === "rightParen" ? -1 : 0;
    if (depth < 0) throw lexError(source, next, "unexpected right paren");
    tokens.push(token);
    at = next + token.text.length;
  }
}

function lexWord(source: string, position: number, spaceBefore: boolean, before: Token | undefined): Token {
  const isFirst = before === undefined || before.kind === "open" || before.kind === "pipe";
  const isName = before?.kind === "field" || before?.kind === "variable" || before?.kind === "identifier";
  for (const [kind, pattern] of WORDS) {
    pattern.lastIndex = position;
    const text = pattern.exec(source)?.[0];
    if (text === undefined) continue;
    if (kind === "number") checkNumber(source, position, text);
    return { kind: kind === "identifier" ? wordKind(text) : kind, text, position, spaceBefore };
  }
  const character = String.fromCodePoint(source.codePointAt(position) ?? 0);
  if (character === '"') throw lexError(source, position, "unterminated quoted string");
  if (character === "`") throw lexError(source, position, "unterminated raw quoted string");
  if (character === "'") throw lexError(source, position, "unterminated character constant");
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  // Behind a field or a variable, Go says so as soon as the name ends badly.
  if (!spaceBefore && isName) throw lexError(source, position, `bad character U+${code} '${character}'`);
  throw lexError(source, position, `unexpected ${JSON.stringify(character)} in ${isFirst ? "command" : "operand"}`);
}

function wordKind(text: string): TokenKind {
  if (KEYWORDS.includes(text)) return "keyword";
  if (text === "true" || text === "false") return "bool";
  return text === "nil" ? "nil" : "identifier";
}

function checkNumber(source: string, position: number, text: string): void {
  const after = /[\p{L}\p{Nd}_]/u.exec(source[position + text.length] ?? "");
  if (after) throw lexError(source, position, `bad number syntax: "${text}${after[0]}"`);
}

/** `template: :1: unclosed action`. */
export function lexError(source: string, position: number, problem: string): TemplateError {
  const line = source.slice(0, position).split("\n").length;
  return new TemplateError(`template: :${line}: ${problem}`);
}
