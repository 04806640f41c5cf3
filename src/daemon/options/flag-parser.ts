import { InvalidParameterError } from "#errors/errors.ts";
import { FILE_ONLY, findOption, findShortOption, type OptionDefinition } from "./option-table.ts";

/** What was given for each flag, in its order, by the option's name. */
export type GivenFlags = ReadonlyMap<string, readonly string[]>;

/**
 * Takes the arguments of `berth daemon` apart as dockerd's flag library does: `--name=value`, `--name value`, `-n value`, `-nvalue`, switches with or without
 * a value behind `=`. Values are not looked at yet. Throws InvalidParameterError in its words. https://pkg.go.dev/github.com/spf13/pflag
 */
export function parseFlags(args: readonly string[]): GivenFlags {
  const given = new Map<string, string[]>();
  const rest = [...args];
  const add = ({ name }: OptionDefinition, value: string): void => {
    given.set(name, [...(given.get(name) ?? []), value]);
  };
  const valueFor = (option: OptionDefinition, attached: string | undefined, shown: string): string => {
    if (attached !== undefined) return attached;
    if (option.kind.placeholder === "") return "true";
    const value = rest.shift();
    if (value === undefined) throw usageError(`flag needs an argument: ${shown}`);
    return value;
  };
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word.startsWith("--") && word !== "--") {
      const [, name = "", attached] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
      const option = FILE_ONLY.has(name) ? undefined : findOption(name);
      if (!option) throw usageError(`unknown flag: --${name}`);
      add(option, valueFor(option, attached, `--${name}`));
    } else if (word.startsWith("-") && word.length > 1 && word !== "--") {
      for (let letters = word.slice(1); letters !== ""; ) {
        const letter = letters.charAt(0);
        const option = findShortOption(letter);
        if (!option) throw usageError(`unknown shorthand flag: '${letter}' in ${word}`);
        const after = letters.slice(1);
        const isSwitch = option.kind.placeholder === "";
        const attached = after.startsWith("=") ? after.slice(1) : isSwitch || after === "" ? undefined : after;
        add(option, valueFor(option, attached, `'${letter}' in ${word}`));
        letters = isSwitch && !after.startsWith("=") ? after : "";
      }
    } else throw new InvalidParameterError("\"berth daemon\" accepts no arguments.\nSee 'berth daemon --help'.");
  }
  return given;
}

/** Throws InvalidParameterError that names the flag and its text. */
export function flagError({ name, short }: OptionDefinition, texts: readonly string[], problem: string): Error {
  const shown = short ? `-${short}, --${name}` : `--${name}`;
  return usageError(`invalid argument ${JSON.stringify(texts.at(-1) ?? "")} for "${shown}" flag: ${problem}`);
}

function usageError(text: string): InvalidParameterError {
  return new InvalidParameterError(`${text}\nSee 'berth daemon --help'.`);
}
