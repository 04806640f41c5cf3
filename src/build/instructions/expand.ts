import { atSource } from "../parse/dockerfile-error.ts";
import type { Heredoc } from "../parse/heredoc.ts";
import { processWord, processWords, type Variables } from "../parse/shell-words.ts";
import type { EscapeCharacter } from "../parse/source.ts";
import { containerPorts } from "./container-ports.ts";
import type { Instruction, KeyValue } from "./types.ts";

/** `word` with its variables in place, quotes and escapes removed. Throws InvalidParameterError on a syntax error. */
export function expandWord(word: string, variables: Variables, escaper: EscapeCharacter): string {
  return processWord(word, variables, { escape: escaper });
}

/**
 * The instruction with the variables of those fields that have them replaced: ADD, ARG, COPY, ENV, EXPOSE, LABEL, STOPSIGNAL, USER,
 * VOLUME, WORKDIR; all others come back as they are (the shell of RUN expands its own; mounts are for `parseMounts`). Every word sees
 * the values from before the instruction: `ENV a=1 b=$a` gives b the old a. Throws DockerfileError.
 * https://docs.docker.com/reference/dockerfile/#environment-replacement
 */
export function expandInstruction<T extends Instruction>(
  instruction: T,
  variables: Variables,
  escaper: EscapeCharacter,
): T {
  const expander: Expander = {
    word: (word) => expandWord(word, variables, escaper),
    words: (text) => processWords(text, variables, { escape: escaper }),
    // A heredoc is text: its quotes are ordinary, and its escape character is `\` whatever the directive says.
    text: (text) => processWord(text, variables, { escape: "\\", plainQuotes: true }),
  };
  return atSource(instruction.source, () => ({ ...instruction, ...expandedFields(instruction, expander) }));
}

interface Expander {
  readonly word: (word: string) => string;
  readonly words: (text: string) => readonly string[];
  readonly text: (text: string) => string;
}

/** Only the fields that change. */
function expandedFields(instruction: Instruction, { word, words, text }: Expander): Partial<Instruction> {
  const pair = ({ key, value }: KeyValue): KeyValue => ({ key: word(key), value: word(value) });
  switch (instruction.kind) {
    case "copy":
    case "add":
      return {
        sources: instruction.sources.map(word),
        destination: word(instruction.destination),
        chown: word(instruction.chown),
        chmod: word(instruction.chmod),
        heredocs: instruction.heredocs.map((heredoc) => expandHeredoc(heredoc, text)),
        ...(instruction.kind === "add" ? { checksum: word(instruction.checksum) } : {}),
      };
    case "env":
    case "label":
      return { pairs: instruction.pairs.map(pair) };
    case "arg":
      return {
        args: instruction.args.map(({ key, value }) =>
          value === undefined ? { key: word(key) } : { key: word(key), value: word(value) },
        ),
      };
    case "workdir":
      return { path: word(instruction.path) };
    case "user":
      return { user: word(instruction.user) };
    case "stopsignal":
      return { signal: word(instruction.signal) };
    case "volume":
      return { paths: instruction.paths.map(word) };
    case "expose":
      return { ports: instruction.ports.flatMap(words).flatMap(containerPorts) };
    default:
      return {};
  }
}

function expandHeredoc(heredoc: Heredoc, expand: (text: string) => string): Heredoc {
  return heredoc.expand ? { ...heredoc, content: expand(heredoc.content) } : heredoc;
}
