/** The flag grammar of docker, which is spf13/pflag's: https://github.com/spf13/pflag/blob/master/flag.go (parseArgs). */

import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { goQuote } from "../output/texts.ts";
import { booleanFlag, type Flag, type FlagSet, type FlagValues } from "./flag.ts";

const HELP: Flag<boolean> = booleanFlag("Print usage");

export interface ParsedFlags<F extends FlagSet> {
  readonly flags: FlagValues<F>;
  /** Names of the flags that were given. */
  readonly given: ReadonlySet<string>;
  readonly args: readonly string[];
  /** `--help` was among them. */
  readonly help: boolean;
  /** What is to be said of flags that docker wants to be rid of. */
  readonly notices: readonly string[];
}

/**
 * Reads flags and arguments. With `stopAtFirstArgument`, everything from the first argument on is an argument:
 * `run IMAGE -x` hands `-x` to the container. Throws InvalidParameterError in pflag's words.
 */
export function parseFlags<F extends FlagSet>(
  set: F,
  words: readonly string[],
  options: { readonly stopAtFirstArgument?: boolean } = {},
): ParsedFlags<F> {
  const reader = new FlagReader(set, words);
  while (reader.position < words.length) {
    const word = words[reader.position++] ?? "";
    if (word === "--") {
      reader.takeRest();
    } else if (word.startsWith("--")) {
      reader.takeLong(word);
    } else if (word.startsWith("-") && word.length > 1) {
      reader.takeCluster(word);
    } else {
      reader.args.push(word);
      if (options.stopAtFirstArgument) reader.takeRest();
    }
  }
  return {
    flags: reader.values as FlagValues<F>,
    given: reader.given,
    args: reader.args,
    help: reader.help,
    notices: reader.notices,
  };
}

class FlagReader {
  position = 0;
  help = false;
  readonly notices: string[] = [];
  readonly args: string[] = [];
  readonly given: Set<string> = new Set();
  readonly values: Record<string, unknown>;
  readonly #set: FlagSet;
  readonly #words: readonly string[];

  constructor(set: FlagSet, words: readonly string[]) {
    this.#set = set;
    this.#words = words;
    this.values = Object.fromEntries(Object.entries(set).map(([name, flag]) => [name, flag.initial]));
  }

  takeRest(): void {
    this.args.push(...this.#words.slice(this.position));
    this.position = this.#words.length;
  }

  /** `--name`, `--name=value`, `--name value`. */
  takeLong(word: string): void {
    const body = word.slice(2);
    const equals = body.indexOf("=");
    const name = equals < 0 ? body : body.slice(0, equals);
    if (name === "" || name.startsWith("-")) throw new InvalidParameterError(`bad flag syntax: ${word}`);
    const flag = this.#find(name);
    if (name === "help") {
      // A command may list it among its flags, but it is never one of them.
      this.help = equals < 0 || readAs("--help", HELP, body.slice(equals + 1), undefined);
    } else if (!flag) {
      throw new InvalidParameterError(`unknown flag: --${name}`);
    } else if (equals >= 0) {
      this.#assign(name, flag, body.slice(equals + 1));
    } else {
      this.#assign(name, flag, flag.impliedText ?? this.#next(`flag needs an argument: --${name}`));
    }
  }

  /** `-it`, `-p80:80`, `-p=80:80`, `-p 80:80`. */
  takeCluster(word: string): void {
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] ?? "";
      const [name, flag] = Object.entries(this.#set).find(([, candidate]) => candidate.short === letter) ?? [];
      if (!name || !flag) {
        if (letter !== "h")
          throw new InvalidParameterError(`unknown shorthand flag: '${letter}' in -${word.slice(at)}`);
        this.help = true;
        this.notices.push("Flag shorthand -h has been deprecated, use --help");
        continue;
      }
      const rest = word.slice(at + 1);
      if (rest.startsWith("=") && rest.length > 1) {
        this.#assign(name, flag, rest.slice(1));
        return;
      }
      if (flag.impliedText === undefined) {
        const missing = `flag needs an argument: '${letter}' in -${word.slice(at)}`;
        this.#assign(name, flag, rest === "" ? this.#next(missing) : rest);
        return;
      }
      this.#assign(name, flag, flag.impliedText);
    }
  }

  #find(name: string): Flag<unknown> | undefined {
    return Object.hasOwn(this.#set, name) ? this.#set[name] : undefined;
  }

  #next(missing: string): string {
    const word = this.#words[this.position++];
    if (word === undefined) throw new InvalidParameterError(missing);
    return word;
  }

  #assign(name: string, flag: Flag<unknown>, text: string): void {
    const label = flag.short ? `-${flag.short}, --${name}` : `--${name}`;
    this.values[name] = readAs(label, flag, text, this.given.has(name) ? this.values[name] : undefined);
    if (flag.deprecated && !this.given.has(name)) {
      this.notices.push(`Flag --${name} has been deprecated, ${flag.deprecated}`);
    }
    this.given.add(name);
  }
}

/** `text` as the flag's value. Throws InvalidParameterError, which names the flag by its `label`. */
function readAs<T>(label: string, flag: Flag<T>, text: string, before: T | undefined): T {
  try {
    return flag.read(text, before);
  } catch (cause) {
    throw new InvalidParameterError(`invalid argument ${goQuote(text)} for "${label}" flag: ${errorMessage(cause)}`, {
      cause,
    });
  }
}
