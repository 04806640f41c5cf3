import { parseReference } from "#formats/reference.ts";
import type { VariableList } from "../graph/variables.ts";
import { expandWord } from "../instructions/expand.ts";
import type { ArgInstruction, Dockerfile, Instruction, Stage } from "../instructions/types.ts";
import { blankSeparated } from "../parse/arguments.ts";
import type { SourceRange } from "../parse/source.ts";
import { splitInstruction } from "../parse/split-instruction.ts";
import type { CheckFindings } from "./check-findings.ts";

/**
 * The checks that need nothing but the file: how it is written, and the names of its stages. In the order in which BuildKit comes upon them.
 * `defaults` is what FROM sees when no --build-arg is given.
 * https://github.com/moby/buildkit/blob/master/frontend/dockerfile/dockerfile2llb/validations.go
 */
export function checkFile(dockerfile: Dockerfile, defaults: VariableList, findings: CheckFindings): void {
  // The parser has no other remarks.
  for (const { source } of dockerfile.warnings) findings.report("NoEmptyContinuation", source);
  for (const arg of dockerfile.globalArgs) checkArgDescription(dockerfile, arg, findings);
  for (const stage of dockerfile.stages) {
    checkFrom(dockerfile, stage, findings);
    for (const instruction of stage.instructions) checkWriting(dockerfile, instruction, findings);
  }
  checkStageNames(dockerfile.stages, findings);
  checkCasing(dockerfile.stages, findings);
  checkDefaultBases(dockerfile, defaults, findings);
}

function checkFrom(dockerfile: Dockerfile, { text, source }: Stage, findings: CheckFindings): void {
  const { verb, rest } = splitInstruction(text);
  const [, as, name] = blankSeparated(rest);
  if (as === undefined || name === undefined) return;
  if (name !== name.toLowerCase()) findings.report("StageNameCasing", source, name);
  if (casingOf(verb) === "lower" && as !== as.toLowerCase()) findings.report("FromAsCasing", source, verb, as);
  if (casingOf(verb) === "upper" && as !== as.toUpperCase()) findings.report("FromAsCasing", source, verb, as);
  checkDescription(dockerfile, source, "FROM", [name.toLowerCase()], findings);
}

function checkWriting(dockerfile: Dockerfile, instruction: Instruction, findings: CheckFindings): void {
  if (instruction.kind === "maintainer") findings.report("MaintainerDeprecated", instruction.source);
  if (instruction.kind === "arg") checkArgDescription(dockerfile, instruction, findings);
}

function checkArgDescription(dockerfile: Dockerfile, arg: ArgInstruction, findings: CheckFindings): void {
  const keys = arg.args.map(({ key }) => key);
  checkDescription(dockerfile, arg.source, "ARG", keys, findings);
}

function checkDescription(
  dockerfile: Dockerfile,
  source: SourceRange,
  verb: string,
  names: readonly string[],
  findings: CheckFindings,
): void {
  const comment = commentsBefore(dockerfile.lines, source).at(-1);
  if (comment === undefined || names.includes(comment.split(" ")[0] ?? "")) return;
  findings.report("InvalidDefinitionDescription", source, verb, names.length > 1 ? "<arg_key>" : (names[0] ?? ""));
}

/** The comment lines right above an instruction, without their `#`. Directives are none; an empty comment ends them, as an empty line does. */
export function commentsBefore(lines: readonly string[], { startLine }: SourceRange): readonly string[] {
  const comments: string[] = [];
  for (let index = startLine - 2; index >= 0; index--) {
    const text = /^\s*#(.*)$/.exec(lines[index] ?? "")?.[1]?.trim();
    if (text === undefined || text === "" || /^(syntax|escape|check)\s*=/i.test(text)) break;
    comments.unshift(text);
  }
  return comments;
}

const RESERVED = ["context", "scratch"];

function checkStageNames(stages: readonly Stage[], findings: CheckFindings): void {
  const seen = new Set<string>();
  for (const { name, source } of stages) {
    if (name === "") continue;
    if (RESERVED.includes(name)) findings.report("ReservedStageName", source, name);
    if (seen.has(name)) findings.report("DuplicateStageName", source, name);
    seen.add(name);
  }
}

function checkCasing(stages: readonly Stage[], findings: CheckFindings): void {
  const commands = stages.flatMap((stage) =>
    [stage, ...stage.instructions].map(({ text, source }) => ({ verb: verbOf(text), source })),
  );
  const lower = commands.filter(({ verb }) => casingOf(verb) === "lower").length;
  const upper = commands.filter(({ verb }) => casingOf(verb) === "upper").length;
  for (const { verb, source } of commands) {
    if (lower > upper && verb !== verb.toLowerCase()) {
      findings.report("ConsistentInstructionCasing", source, verb, "lowercase");
    }
    if (lower <= upper && verb !== verb.toUpperCase()) {
      findings.report("ConsistentInstructionCasing", source, verb, "uppercase");
    }
  }
}

/** As it stands in the file. */
export function verbOf(text: string): string {
  return splitInstruction(text).verb;
}

function casingOf(verb: string): "lower" | "upper" | "mixed" {
  if (verb === verb.toLowerCase()) return "lower";
  return verb === verb.toUpperCase() ? "upper" : "mixed";
}

function checkDefaultBases(
  { stages, escape: escaper }: Dockerfile,
  defaults: VariableList,
  findings: CheckFindings,
): void {
  for (const { base, source } of stages) {
    if (!isReference(base, defaults, escaper)) findings.report("InvalidDefaultArgInFrom", source, base);
  }
}

function isReference(base: string, defaults: VariableList, escaper: Dockerfile["escape"]): boolean {
  let name: string;
  try {
    name = expandWord(base, defaults, escaper);
  } catch {
    // The build itself will say what is wrong with it.
    return true;
  }
  try {
    parseReference(name);
    return true;
  } catch {
    return false;
  }
}
