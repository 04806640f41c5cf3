/**
 * What plugins say after a command: those whose entry in `config.json` names it are called with `docker-cli-plugin-hooks` and answer with a
 * template for a hint. https://github.com/docker/cli/blob/v29.0.0/cli-plugins/manager/hooks.go
 */
import { spawnSync } from "node:child_process";
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { Template } from "#formats/go-template/template.ts";
import { integer, object, text } from "#lib/json-decoder.ts";
import type { ConfigFile } from "../config/config-file.ts";
import type { CommandContext, Invocation } from "../grammar/command.ts";
import type { FlagSet } from "../grammar/flag.ts";
import { interruptCode } from "../interrupt.ts";
import { styled } from "../output/note.ts";
import { hasColors } from "../output/terminal-look.ts";
import { findPlugin } from "./plugin-metadata.ts";

/** A command that was run. */
export interface HookedCommand {
  /** `image ls`. */
  readonly words: readonly string[];
  /** `ls`; for a plugin's, the plugin's name. */
  readonly name: string;
  readonly flags: FlagSet;
  readonly parsed: Invocation;
}

interface HookAnswer {
  readonly ReturnType: number;
  readonly Template: string;
}

/** The one type of an answer that there is. */
const NEXT_STEPS = 0;
const PATIENCE_MS = 10_000;

const hookAnswer = object<HookAnswer>(
  { ReturnType: integer, Template: text },
  { ReturnType: NEXT_STEPS, Template: "" },
);

/** Runs the command, then the hooks for it, whether it failed or not. What a plugin does wrong is passed over. */
export async function runWithHooks(
  config: ConfigFile,
  hooked: HookedCommand,
  context: CommandContext,
  run: () => Promise<number>,
): Promise<number> {
  let problem = "";
  try {
    return await run();
  } catch (error) {
    problem = errorMessage(error);
    throw error;
  } finally {
    if (interruptCode() === undefined) await showHints(hints(config, hooked, problem, context), context);
  }
}

/** Runs the hooks for a plugin's command that went well. Its flags are the plugin's own: what looks like one is taken for one. */
export async function showHintsOfPlugin(
  config: ConfigFile,
  name: string,
  words: readonly string[],
  context: CommandContext,
): Promise<void> {
  const given = new Set(words.filter((word) => word.startsWith("-")).map((word) => word.replace(/^--?/, "")));
  const hooked = { words, name, flags: {}, parsed: { flags: {}, given, args: words.slice(1) } };
  await showHints(hints(config, hooked, "", context), context);
}

async function showHints(lines: readonly string[], { streams, environment }: CommandContext): Promise<void> {
  if (lines.length === 0) return;
  const { stderr } = streams;
  const title = styled("\nWhat's next:", "bold", hasColors(stderr, environment));
  await stderr.write(`${title}\n${lines.map((line) => `    ${line}\n`).join("")}`);
}

function hints(
  { plugins = {} }: ConfigFile,
  hooked: HookedCommand,
  problem: string,
  context: CommandContext,
): readonly string[] {
  const { words } = hooked;
  return Object.entries(plugins).flatMap(([name, { hooks, "error-hooks": errorHooks }]) => {
    const match = matching(hooks, words) ?? (problem === "" ? undefined : matching(errorHooks, words));
    return match === undefined
      ? []
      : hintOf(name, { RootCmd: match, Flags: givenFlags(hooked), CommandError: problem }, hooked, context);
  });
}

/** The first of the configured commands, `pull,image ls`, that the words begin with. */
function matching(configured: string | undefined, words: readonly string[]): string | undefined {
  if (!configured) return undefined;
  return configured.split(",").find((command) => command.split(" ").every((word, at) => words[at] === word));
}

/** Values of switches alone: others may be secrets. */
function givenFlags({ parsed }: HookedCommand): Readonly<Record<string, string>> {
  const shown = (name: string): string => (typeof parsed.flags[name] === "boolean" ? String(parsed.flags[name]) : "");
  return Object.fromEntries([...parsed.given].sort().map((name) => [name, shown(name)]));
}

function hintOf(
  name: string,
  data: { readonly RootCmd: string; readonly Flags: Readonly<Record<string, string>>; readonly CommandError: string },
  hooked: HookedCommand,
  { configDirectory }: CommandContext,
): readonly string[] {
  const plugin = findPlugin(name, configDirectory);
  if (!plugin) return [];
  const { status, stdout } = spawnSync(plugin.Path, [name, "docker-cli-plugin-hooks", JSON.stringify(data)], {
    timeout: PATIENCE_MS,
    stdio: ["ignore", "pipe", "ignore"],
  });
  if (status !== 0) return [];
  try {
    const answer = hookAnswer(JSON.parse(stdout.toString("utf8")), "");
    const lines = answer.ReturnType === NEXT_STEPS ? hintText(answer.Template, hooked).split("\n") : [];
    return lines.some((line) => line.trim() !== "") ? lines : [];
  } catch {
    // The hint is the plugin's and no part of the command, which has ended.
    return [];
  }
}

/** `{{.Name}}`, `{{flag . "name"}}` and `{{arg . 0}}` are the command's. Throws for a template that is none. */
function hintText(template: string, { name, flags, parsed }: HookedCommand): string {
  const functions = {
    flag: (_command: unknown, flag: unknown) => {
      if (typeof flag !== "string" || !Object.hasOwn(flags, flag))
        throw new InvalidParameterError("failed to parse hook template");
      const value = parsed.flags[flag];
      return Array.isArray(value) ? `[${value.join(",")}]` : String(value);
    },
    arg: (_command: unknown, at: unknown) => parsed.args[Number(at)] ?? "",
  };
  return new Template(template, { functions }).execute({ Name: name });
}
