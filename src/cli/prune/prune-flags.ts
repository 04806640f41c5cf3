import type { Filters } from "#client/filters.ts";
import { readConfigFile } from "../config/config-file.ts";
import type { CommandContext } from "../grammar/command.ts";

export const ARE_YOU_SURE = "Are you sure you want to continue?";

/** The filters of the flag, with those that `config.json` adds to every prune. */
export async function pruneFilters(filters: Filters, context: CommandContext): Promise<Filters> {
  const result: Record<string, readonly string[]> = { ...filters };
  for (const entry of readConfigFile(context.configDirectory).pruneFilters ?? []) {
    const equals = entry.indexOf("=");
    if (equals < 0) continue;
    const name = entry.slice(0, equals);
    result[name] = [...(result[name] ?? []), entry.slice(equals + 1)];
  }
  return result;
}

/** `Deleted Images:` and the lines below it, with the blank one behind; nothing when nothing was removed. */
export function deletedText(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : `${title}:\n${lines.join("\n")}\n\n`;
}
