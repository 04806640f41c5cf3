import { parseGoBool } from "#lib/go-bool.ts";
import type { ConfigFile } from "../config/config-file.ts";
import type { Output } from "../streams.ts";

/**
 * Whether plugins may speak after a command: on a terminal, when the user has turned it on (DOCKER_CLI_HOOKS, else DOCKER_CLI_HINTS, else
 * `features.hooks`), and some plugin has hooks. https://github.com/docker/cli/blob/v28.2.2/cli/command/cli.go (HooksEnabled)
 */
export function hooksRun(
  { plugins = {}, features = {} }: ConfigFile,
  stdout: Output,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  if (!stdout.isTerminal || !Object.values(plugins).some((plugin) => plugin["hooks"] ?? plugin["error-hooks"]))
    return false;
  const choices = [environment["DOCKER_CLI_HOOKS"], environment["DOCKER_CLI_HINTS"], features["hooks"]];
  return choices.map((text) => parseGoBool(text ?? "")).find((choice) => choice !== undefined) ?? false;
}
