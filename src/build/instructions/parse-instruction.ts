import { InvalidParameterError } from "#errors/errors.ts";
import { suggestion } from "#lib/closest-word.ts";
import { splitInstruction } from "../parse/split-instruction.ts";
import { parseAdd, parseCopy } from "./parse-copy.ts";
import { parseHealthcheck } from "./parse-healthcheck.ts";
import { parseCommand, parseRun } from "./parse-run.ts";
import { parseArg, parseExpose, parsePairs, parseShell, parseVolume } from "./parse-values.ts";
import { flagsOf, onlyArgument, originOf, type RawInstruction } from "./raw-instruction.ts";
import type { Instruction, OnBuildInstruction } from "./types.ts";

/** Every verb but FROM, which begins a stage. */
const PARSERS: Readonly<Record<string, (raw: RawInstruction) => Instruction>> = {
  add: parseAdd,
  arg: parseArg,
  cmd: (raw) => ({ ...originOf(raw), kind: "cmd", command: commandOf(raw) }),
  copy: parseCopy,
  entrypoint: (raw) => ({ ...originOf(raw), kind: "entrypoint", command: commandOf(raw) }),
  env: (raw) => ({ ...originOf(raw), kind: "env", pairs: parsePairs(raw) }),
  expose: parseExpose,
  healthcheck: parseHealthcheck,
  label: (raw) => ({ ...originOf(raw), kind: "label", pairs: parsePairs(raw) }),
  maintainer: (raw) => ({ ...originOf(raw), kind: "maintainer", maintainer: onlyArgument(raw) }),
  onbuild: parseOnBuild,
  run: parseRun,
  shell: parseShell,
  stopsignal: (raw) => ({ ...originOf(raw), kind: "stopsignal", signal: onlyArgument(raw) }),
  user: (raw) => ({ ...originOf(raw), kind: "user", user: onlyArgument(raw) }),
  volume: parseVolume,
  workdir: (raw) => ({ ...originOf(raw), kind: "workdir", path: onlyArgument(raw) }),
};

/** Types an instruction. Throws InvalidParameterError, with a suggestion for a verb that is nearly one. */
export function parseInstruction(raw: RawInstruction): Instruction {
  const verb = raw.verb.toLowerCase();
  const parser = Object.hasOwn(PARSERS, verb) ? PARSERS[verb] : undefined;
  if (parser) return parser(raw);
  const closest = suggestion(verb, ["from", ...Object.keys(PARSERS)]);
  const isUpper = raw.verb === raw.verb.toUpperCase();
  const verbs = isUpper ? closest.replace(/mean (\w+)/, (_, word: string) => `mean ${word.toUpperCase()}`) : closest;
  throw new InvalidParameterError(`unknown instruction: ${raw.verb}${verbs}`);
}

function commandOf(raw: RawInstruction): ReturnType<typeof parseCommand> {
  flagsOf(raw);
  return parseCommand(raw.rest);
}

/** The trigger is kept as text, as the image config has it, but checked now: an image that no build can use helps nobody. */
function parseOnBuild(raw: RawInstruction): OnBuildInstruction {
  flagsOf(raw);
  if (raw.rest === "") throw new InvalidParameterError("ONBUILD requires at least one argument");
  const { verb, flags, rest } = splitInstruction(raw.rest);
  const upper = verb.toUpperCase();
  if (upper === "ONBUILD") {
    throw new InvalidParameterError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  }
  if (upper === "FROM" || upper === "MAINTAINER") {
    throw new InvalidParameterError(`${upper} isn't allowed as an ONBUILD trigger`);
  }
  parseInstruction({ ...raw, verb, flags, rest });
  const bodies = raw.heredocs.map((heredoc) => `\n${heredoc.raw}${heredoc.name}`);
  return { ...originOf(raw), kind: "onbuild", trigger: raw.text.replace(/^\s*ONBUILD\s*/i, "") + bodies.join("") };
}
