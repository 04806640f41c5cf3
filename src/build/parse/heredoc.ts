import { processWords } from "./shell-words.ts";

/** `<<EOF`: what the line says of it, and its body. */
export interface Heredoc {
  /** The word after `<<`, unquoted: the file's name for COPY, the terminator of the body. */
  readonly name: string;
  readonly fileDescriptor: number;
  /** The body for whoever takes it as a file: with `<<-` its leading tabs are stripped. Ends in a newline unless empty. */
  readonly content: string;
  /** The body as it stands in the Dockerfile, for a shell that does the stripping itself. */
  readonly raw: string;
  /** Whether variables are expanded in it: no part of the word was quoted. Never expanded by us for RUN, whose shell does that. */
  readonly expand: boolean;
  /** `<<-`. */
  readonly chomp: boolean;
}

/** A heredoc whose body has not been read yet. */
export type HeredocStart = Omit<Heredoc, "content" | "raw">;

const OPERATOR = /^(\d*)<<(-?)([^<]*)$/;
const NO_VARIABLES: { get(name: string): string | undefined } = { get: () => undefined };

/** The heredocs that an instruction's line announces, in their order. Lines without any, or that no shell could read, give none. */
export function heredocsOfLine(line: string): readonly HeredocStart[] {
  if (!line.includes("<<")) return [];
  return shellWordsOf(line).flatMap((word) => parseHeredocWord(word) ?? []);
}

/** Reads `<<EOF`, `<<-EOF`, `<<"EOF"`, `3<<EOF`; undefined if `word` is nothing of the kind. */
export function parseHeredocWord(word: string): HeredocStart | undefined {
  const match = OPERATOR.exec(word);
  const rest = match?.[3] ?? "";
  if (!match || rest === "") return undefined;
  const options = { escape: "\\", keepUnset: true } as const;
  const names = processWords(rest, NO_VARIABLES, options);
  const [name] = names;
  if (name === undefined || names.length !== 1) return undefined;
  const [quoted = name] = processWords(rest, NO_VARIABLES, { ...options, rawQuotes: true });
  return {
    name,
    fileDescriptor: Number(match[1]),
    expand: countQuotes(name) === countQuotes(quoted),
    chomp: match[2] === "-",
  };
}

/** Whether `line` (without its line end) ends the body of `heredoc`. */
export function endsHeredoc(heredoc: HeredocStart, line: string): boolean {
  return (heredoc.chomp ? line.replace(/^\t+/, "") : line) === heredoc.name;
}

/** The heredoc with its body. */
export function withBody(heredoc: HeredocStart, raw: string): Heredoc {
  return { ...heredoc, raw, content: heredoc.chomp ? raw.replaceAll(/^\t+/gm, "") : raw };
}

/** A line that is no valid shell text (an apostrophe in `RUN echo it's`) announces no heredoc: BuildKit ignores that error as well. */
function shellWordsOf(line: string): readonly string[] {
  try {
    return processWords(line, NO_VARIABLES, { escape: "\\", rawQuotes: true, rawEscapes: true, keepUnset: true });
  } catch {
    return [];
  }
}

function countQuotes(text: string): number {
  return text.replaceAll(/[^'"]/g, "").length;
}
