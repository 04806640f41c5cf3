/** The alias `builder` of `config.json`, which has builds done by a plugin. https://github.com/docker/cli/blob/v28.2.2/cmd/docker/aliases.go */
import type { ConfigFile } from "../config/config-file.ts";
import { type CommandTree, resolveCommand } from "../grammar/command-tree.ts";
import { StatusError } from "../status-error.ts";

const BUILDER = "builder";
/** docker's plugin, whose place Berth's own builder takes. */
const OWN = "buildx";

export const MISSING_BUILDER: string = `ERROR: BuildKit is enabled but the buildx component is missing or broken.
       Install the buildx component to build images with BuildKit:
       https://docs.docker.com/go/buildx/`;

/** A plugin that builds, and the words of the command line that become a call of it. */
export interface ReplacementBuilder {
  readonly name: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/**
 * The plugin that runs the command line `words` in place of Berth; undefined when Berth does. Throws StatusError in docker's words for an
 * alias that may not be.
 */
export function replacementBuilder(
  { aliases = {} }: ConfigFile,
  words: readonly string[],
  commands: CommandTree,
): ReplacementBuilder | undefined {
  for (const [name, target] of Object.entries(aliases)) checkAlias(name, target, commands);
  const name = aliases[BUILDER];
  if (name === undefined || name === OWN) return undefined;
  const forms: readonly (readonly [before: readonly string[], after: readonly string[]])[] = [
    [["builder"], [name]],
    [["build"], [name, "build"]],
    [
      ["image", "build"],
      [name, "build"],
    ],
  ];
  const form = forms.find(([before]) => before.every((word, at) => words[at] === word));
  return form ? { name, before: form[0], after: form[1] } : undefined;
}

function checkAlias(name: string, target: string, commands: CommandTree): void {
  if (name !== BUILDER) {
    throw new StatusError(
      1,
      `not allowed to alias "${name}" (allowed: map[string]struct {}{"${BUILDER}":struct {}{}})`,
    );
  }
  const isBuiltIn = target !== OWN && resolveCommand(commands, target.split(" ")).kind !== "unknown";
  if (target === "" || isBuiltIn) {
    throw new StatusError(1, `not allowed to alias with builtin "${target}" as target`);
  }
}

/** `argv` with the first run of the words `before` replaced. */
export function replaceWords(
  argv: readonly string[],
  before: readonly string[],
  after: readonly string[],
): readonly string[] {
  const at = argv.findIndex((_, start) => before.every((word, offset) => argv[start + offset] === word));
  return at < 0 ? argv : [...argv.slice(0, at), ...after, ...argv.slice(at + before.length)];
}
