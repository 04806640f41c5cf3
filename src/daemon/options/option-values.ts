import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import type { FileValues } from "./config-file.ts";
import { flagError, type GivenFlags } from "./flag-parser.ts";
import { COUNT, type OptionKind, SWITCH, TEXT, TEXTS } from "./option-kinds.ts";
import { findOption, OPTIONS, type OptionDefinition } from "./option-table.ts";

/** What flags and daemon.json give. Flags are read where both do; a kind that joins takes both. */
export class OptionValues {
  readonly #flags: GivenFlags;
  readonly #file: FileValues;

  constructor(flags: GivenFlags, file: FileValues) {
    this.#flags = flags;
    this.#file = file;
  }

  /** Undefined where neither gives the option. Throws InvalidParameterError that names the flag, or has dockerd's words for the file. */
  read<T>(name: string, kind: OptionKind<T>): T | undefined {
    const option = optionOf(name);
    const texts = this.#flags.get(name);
    const ofFlags = texts && fromFlags(option, texts, kind);
    if (ofFlags !== undefined && !kind.join) return ofFlags;
    const value = option.key === "" ? undefined : this.#file[option.key];
    if (value === undefined || value === null) return ofFlags;
    const ofFile = kind.fromFile(value, option.key);
    return ofFlags !== undefined && kind.join ? kind.join(ofFile, ofFlags) : ofFile;
  }

  text(name: string): string {
    return this.read(name, TEXT) ?? "";
  }

  switch(name: string): boolean | undefined {
    return this.read(name, SWITCH);
  }

  isOn(name: string): boolean {
    return this.switch(name) ?? false;
  }

  count(name: string): number | undefined {
    return this.read(name, COUNT);
  }

  texts(name: string): readonly string[] {
    return this.read(name, TEXTS) ?? [];
  }

  /** As the option's own kind reads it. */
  given(name: string): unknown {
    return this.read(name, optionOf(name).kind);
  }

  /** Reads all that is given. Throws for the first that cannot be read. */
  check(): void {
    for (const { name, kind } of OPTIONS) this.read(name, kind);
  }
}

function optionOf(name: string): OptionDefinition {
  const option = findOption(name);
  if (!option) throw new InvalidParameterError(`unknown flag: --${name}`);
  return option;
}

function fromFlags<T>(option: OptionDefinition, texts: readonly string[], kind: OptionKind<T>): T {
  try {
    return kind.fromFlags(texts);
  } catch (cause) {
    throw flagError(option, texts, errorMessage(cause));
  }
}
