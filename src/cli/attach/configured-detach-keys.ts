import { DEFAULT_DETACH_KEYS } from "#formats/detach-keys.ts";
import { readConfigFile } from "../config/config-file.ts";
import type { CommandContext } from "../grammar/command.ts";

/** The detach keys in force: the flag's, else those of `config.json`, else ctrl-p,ctrl-q. The engine refuses what are none. */
export function detachKeysOf(flag: string, context: CommandContext): string {
  return flag || readConfigFile(context.configDirectory).detachKeys || DEFAULT_DETACH_KEYS;
}
