import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { blankSeparated } from "../parse/arguments.ts";
import { DockerfileError } from "../parse/dockerfile-error.ts";
import { LineSyntaxError } from "../parse/line-syntax-error.ts";
import { joinLines, type LogicalLine } from "../parse/logical-lines.ts";
import type { EscapeCharacter, SourceRange } from "../parse/source.ts";
import { parseInstruction } from "./parse-instruction.ts";
import { flagsOf, type RawInstruction, rawInstruction } from "./raw-instruction.ts";
import type { ArgInstruction, Dockerfile, Instruction, Stage } from "./types.ts";

const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/;

/**
 * Reads a Dockerfile. Throws DockerfileError in BuildKit's words with the place of the fault, NotImplementedError for what Berth
 * cannot do yet. https://docs.docker.com/reference/dockerfile/
 */
export function parseDockerfile(bytes: Uint8Array): Dockerfile {
  // The decoder also drops a byte order mark, as the rules want.
  const physical = new TextDecoder().decode(bytes).match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const lines = physical.map((line) => line.replace(/\r?\n$/, ""));
  try {
    if (bytes.length === 0) {
      throw new DockerfileError("the Dockerfile cannot be empty", { startLine: 1, endLine: 1 });
    }
    const joined = joinLines(physical);
    const { globalArgs, stages } = splitStages(joined.lines, joined.escape);
    const { escape: escaper, syntax, check, warnings } = joined;
    return { escape: escaper, syntax, check, globalArgs, stages, warnings, lines };
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    throw new DockerfileError(error.message, error, { lines, cause: error.cause });
  }
}

/**
 * Reads the trigger of an ONBUILD, perhaps with heredoc bodies behind it, as the image config has it. `source` is the FROM line of
 * the build that runs it.
 */
export function parseTrigger(trigger: string, escaper: EscapeCharacter, source: SourceRange): Instruction {
  const directive = escaper === "\\" ? [] : [`# escape=${escaper}\n`];
  const [line] = joinLines([...directive, ...(trigger.match(/[^\n]*\n|[^\n]+$/g) ?? [])]).lines;
  if (!line) throw new DockerfileError("ONBUILD requires at least one argument", source);
  return withLine(source, () => parseInstruction(rawInstruction({ ...line, source }, escaper)));
}

interface OpenStage extends Stage {
  readonly instructions: Instruction[];
}

function splitStages(
  lines: readonly LogicalLine[],
  escaper: EscapeCharacter,
): { readonly globalArgs: readonly ArgInstruction[]; readonly stages: readonly Stage[] } {
  const globalArgs: ArgInstruction[] = [];
  const stages: OpenStage[] = [];
  for (const line of lines) {
    const raw = rawInstruction(line, escaper);
    if (raw.verb.toLowerCase() === "from") {
      stages.push(withLine(raw.source, () => parseFrom(raw, stages.length)));
      continue;
    }
    const instruction = withLine(raw.source, () => parseInstruction(raw));
    const stage = stages.at(-1);
    if (stage) stage.instructions.push(instruction);
    else if (instruction.kind === "arg") globalArgs.push(instruction);
    else throw new DockerfileError("no build stage in current context", raw.source);
  }
  const last = lines.at(-1);
  if (stages.length === 0 && last) throw new DockerfileError("dockerfile contains no stages to build", last.source);
  return { globalArgs, stages };
}

/** `FROM [--platform=…] IMAGE [AS NAME]`. */
function parseFrom(raw: RawInstruction, index: number): OpenStage {
  const [base = "", as, name, ...rest] = blankSeparated(raw.rest);
  const isNamed = as?.toLowerCase() === "as" && name !== undefined && rest.length === 0;
  if (base === "" || (as !== undefined && !isNamed)) {
    throw new InvalidParameterError("FROM requires either one or three arguments");
  }
  if (name !== undefined && !STAGE_NAME.test(name.toLowerCase())) {
    throw new InvalidParameterError(
      `invalid name for build stage: ${JSON.stringify(name)}, name can't start with a number or contain symbols`,
    );
  }
  const platform = flagsOf(raw, { platform: "string" }).string("platform");
  const { source, text } = raw;
  return { index, name: name?.toLowerCase() ?? "", base, platform, source, text, instructions: [] };
}

/** Faults in what an instruction says name their line in the text too: the classic build stream shows no source frame. */
function withLine<T>(source: SourceRange, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof InvalidParameterError)) throw error;
    if (error instanceof LineSyntaxError) throw new DockerfileError(error.message, source, { cause: error });
    const text = `dockerfile parse error on line ${source.startLine}: ${errorMessage(error)}`;
    throw new DockerfileError(text, source, { cause: error });
  }
}
