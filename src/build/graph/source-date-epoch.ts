import { InvalidParameterError } from "#errors/errors.ts";
import { locate } from "../build-error.ts";
import { parseGitSource } from "../context/git-source.ts";
import { expandWord } from "../instructions/expand.ts";
import type { Dockerfile, Stage } from "../instructions/types.ts";
import type { RemoteArgument } from "./graph-types.ts";
import type { VariableList } from "./variables.ts";

/**
 * What SOURCE_DATE_EPOCH names: a time, or something that has one. https://reproducible-builds.org/specs/source-date-epoch/ and
 * https://docs.docker.com/reference/dockerfile/#buildkit-built-in-build-args
 */
export type EpochSource =
  | { readonly kind: "none" }
  /** Seconds since 1970. */
  | { readonly kind: "time"; readonly seconds: number }
  /** `context`, or the name of a `--build-context`. */
  | { readonly kind: "context"; readonly name: string }
  /** The one remote ADD of a stage. */
  | { readonly kind: "remote"; readonly argument: RemoteArgument };

/**
 * Reads the value of SOURCE_DATE_EPOCH. A stage counts when it stands on scratch and does nothing but one ADD of a URL or repository.
 * Throws InvalidParameterError, LocatedError.
 */
export function epochSource(
  value: string,
  dockerfile: Dockerfile,
  scope: VariableList,
  isContext: (name: string) => boolean,
): EpochSource {
  if (value === "") return { kind: "none" };
  if (/^[+-]?\d{1,15}$/.test(value)) return { kind: "time", seconds: Number(value) };
  if (value === "context") return { kind: "context", name: "" };
  if (isContext(value)) return { kind: "context", name: value };
  const stage = dockerfile.stages.find(({ name }) => name !== "" && name === value.toLowerCase());
  if (!stage) throw new InvalidParameterError(`invalid SOURCE_DATE_EPOCH: ${value}`);
  try {
    return { kind: "remote", argument: remoteOf(stage, dockerfile, scope) };
  } catch (error) {
    throw locate(error, { source: stage.source });
  }
}

function remoteOf(stage: Stage, { escape: escaper }: Dockerfile, scope: VariableList): RemoteArgument {
  if (expandWord(stage.base, scope, escaper) !== "scratch") {
    throw new InvalidParameterError("SOURCE_DATE_EPOCH stage must use FROM scratch");
  }
  const unusable = stage.instructions.find(({ kind }) => kind !== "arg" && kind !== "add");
  if (unusable) {
    throw new InvalidParameterError(
      `SOURCE_DATE_EPOCH stage does not meet source-only requirements: unsupported ${unusable.kind} instruction`,
    );
  }
  let variables = scope;
  const added: RemoteArgument[] = [];
  for (const instruction of stage.instructions) {
    if (instruction.kind === "arg") {
      for (const { key, value } of instruction.args) {
        const known = scope.get(key) ?? (value === undefined ? undefined : expandWord(value, variables, escaper));
        if (known !== undefined) variables = variables.with(key, known);
      }
    } else if (instruction.kind === "add") {
      for (const source of instruction.sources) added.push(remoteArgument(expandWord(source, variables, escaper)));
    }
  }
  const [only] = added;
  if (!only || added.length > 1) {
    throw new InvalidParameterError("SOURCE_DATE_EPOCH stage must contain exactly one remote ADD");
  }
  return only;
}

function remoteArgument(source: string): RemoteArgument {
  const git = parseGitSource(source, { allowBareHost: false });
  if (git) return { kind: "git", source: git };
  if (/^https?:\/\//.test(source)) return { kind: "http", url: source, checksum: "" };
  throw new InvalidParameterError("SOURCE_DATE_EPOCH stage source must be a single HTTP(S) or Git ADD");
}
