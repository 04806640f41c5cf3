import { InvalidParameterError } from "#errors/errors.ts";
import { jsonOrWords, jsonStrings } from "../parse/arguments.ts";
import { type Heredoc, parseHeredocWord } from "../parse/heredoc.ts";
import { flagsOf, originOf, type RawInstruction } from "./raw-instruction.ts";
import type { AddInstruction, CopyInstruction } from "./types.ts";

const COMMON_FLAGS = { chown: "string", chmod: "string", link: "boolean", exclude: "list" } as const;

/** `COPY [--from=…] [--chown=…] … SRC… DEST`, words or JSON. */
export function parseCopy(raw: RawInstruction): CopyInstruction {
  const paths = splitPaths(raw);
  const flags = flagsOf(raw, { ...COMMON_FLAGS, from: "string", parents: "boolean" });
  const from = flags.string("from");
  if (/\$./.test(from)) {
    throw new InvalidParameterError("'--from' doesn't support variable expansion, define alias stage instead");
  }
  return {
    ...originOf(raw),
    kind: "copy",
    ...paths,
    from,
    chown: flags.string("chown"),
    chmod: flags.string("chmod"),
    link: flags.boolean("link"),
    exclude: flags.list("exclude"),
    parents: flags.boolean("parents"),
  };
}

/** `ADD`, which also takes archives, URLs and git repositories. */
export function parseAdd(raw: RawInstruction): AddInstruction {
  const paths = splitPaths(raw);
  const flags = flagsOf(raw, { ...COMMON_FLAGS, "keep-git-dir": "boolean", checksum: "string", unpack: "boolean" });
  return {
    ...originOf(raw),
    kind: "add",
    ...paths,
    chown: flags.string("chown"),
    chmod: flags.string("chmod"),
    link: flags.boolean("link"),
    exclude: flags.list("exclude"),
    checksum: flags.string("checksum"),
    keepGitDir: flags.boolean("keep-git-dir"),
    ...(flags.has("unpack") ? { unpack: flags.boolean("unpack") } : {}),
  };
}

interface Paths {
  readonly sources: readonly string[];
  readonly destination: string;
  readonly heredocs: readonly Heredoc[];
}

function splitPaths(raw: RawInstruction): Paths {
  const verb = raw.verb.toUpperCase();
  const words = jsonOrWords(raw.rest);
  const destination = words.at(-1);
  if (destination === undefined || words.length < 2) {
    throw new InvalidParameterError(
      `${verb} requires at least two arguments, but only one was provided. Destination could not be determined`,
    );
  }
  // The JSON form has no heredocs: there `<<EOF` is a file name.
  const isHeredoc = (word: string): boolean => !jsonStrings(raw.rest) && parseHeredocWord(word) !== undefined;
  if (isHeredoc(destination)) throw new InvalidParameterError(`${verb} cannot accept a heredoc as a destination`);
  return {
    sources: words.slice(0, -1).filter((word) => !isHeredoc(word)),
    destination,
    heredocs: raw.heredocs,
  };
}
