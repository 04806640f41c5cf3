import type { BuildFailure } from "#spec/solve-status.ts";

const RULE = "--------------------";

/**
 * What is printed below the progress of a failed build: the step and the last it printed, the lines of the Dockerfile around it, the
 * error. https://github.com/moby/buildkit/blob/master/solver/errdefs/source.go
 */
export function failureText(failure: BuildFailure): string {
  const parts = [stepText(failure), sourceText(failure.source), `ERROR: failed to build: ${failure.message}\n`];
  return parts.join("");
}

function stepText({ vertexName, tail = [] }: BuildFailure): string {
  if (vertexName === undefined) return "";
  return ["------", ` > ${vertexName}:`, ...tail, "------", ""].join("\n");
}

function sourceText(source: BuildFailure["source"]): string {
  if (!source) return "";
  const lines = source.text.map((line, index) => {
    const number = source.firstLine + index;
    const isAtFault = number >= source.startLine && number <= source.endLine;
    return ` ${String(number).padStart(3)} | ${isAtFault ? ">>>" : "   "} ${line}`;
  });
  return [`${source.filename}:${source.startLine}`, RULE, ...lines, RULE, ""].join("\n");
}
