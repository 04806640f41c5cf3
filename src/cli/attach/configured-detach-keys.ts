import { DEFAULT_DETACH_KEYS, parseDetachKeys } from "#formats/detach-keys.ts";
import { readConfigFile } from "../config/config-file.ts";
import type { CommandContext } from "../grammar/command.ts";

/** The detach keys in force: the flag's, else those of `config.json`, else ctrl-p,ctrl-q. Throws InvalidParameterError. */
export async function detachKeysOf(flag: string, context: CommandContext): Promise<string> {
  const keys = flag || readConfigFile(context.configDirectory).detachKeys || DEFAULT_DETACH_KEYS;
  parseDetachKeys(keys);
  return keys;
}
