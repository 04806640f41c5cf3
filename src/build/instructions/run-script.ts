import { type Heredoc, parseHeredocWord } from "../parse/heredoc.ts";
import type { RunInstruction } from "./types.ts";

/** What a RUN executes. */
export type RunScript =
  /** The arguments as they are. */
  | { readonly kind: "exec"; readonly args: readonly string[] }
  /** One string for the SHELL, appended to its words. */
  | { readonly kind: "shell"; readonly line: string }
  /** A program of its own (`#!`): mount it read-only as /dev/pipes/NAME, mode 0755, and execute it, without the SHELL. */
  | { readonly kind: "file"; readonly name: string; readonly content: string };

/** A bare heredoc is a script; with other words on its line the shell gets all of it and reads the heredocs itself. */
export function scriptOf(run: RunInstruction): RunScript {
  if (run.command.form === "exec") return { kind: "exec", args: run.command.args };
  const [first] = run.heredocs;
  if (!first) return { kind: "shell", line: run.command.line };
  if (run.heredocs.length === 1 && parseHeredocWord(run.command.line)) {
    if (first.content.startsWith("#!")) return { kind: "file", name: first.name, content: first.content };
    return { kind: "shell", line: first.content };
  }
  const bodies = run.heredocs.map((heredoc) => `\n${heredoc.raw}${heredoc.name}`);
  return { kind: "shell", line: run.command.line + bodies.join("") };
}

/** The step's text as progress shows it: a bare heredoc is summed up by its first line, `RUN <<EOF (apt-get update...)`. */
export function runDescription(run: RunInstruction): string {
  const [first] = run.heredocs;
  const isBare = run.heredocs.length === 1 && run.command.form === "shell" && parseHeredocWord(run.command.line);
  return first && isBare ? `${run.text} (${summary(first)})` : run.text;
}

function summary(heredoc: Heredoc): string {
  const [line = "", ...rest] = heredoc.content.trim().split(/\r?\n/);
  return rest.length > 0 ? `${line}...` : line;
}
