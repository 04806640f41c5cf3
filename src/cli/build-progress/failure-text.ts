import { sourceFrame } from "#formats/source-frame.ts";
import type { BuildFailure } from "#spec/solve-status.ts";

const RULE = "--------------------";

/**
 * What is printed below the progress of a failed build: the step and the last it printed, the lines of the Dockerfile around it, the
 * error; `remarks` are the progress's own and come behind the step. https://github.com/moby/buildkit/blob/master/solver/errdefs/source.go
 */
export function failureText(failure: BuildFailure, remarks = ""): string {
  const parts = [
    stepText(failure),
    remarks,
    sourceText(failure.source),
    `ERROR: failed to build: ${failure.message}\n`,
  ];
  return parts.join("");
}

function stepText({ vertexName, tail = [] }: BuildFailure): string {
  if (vertexName === undefined) return "";
  return ["------", ` > ${vertexName}:`, ...tail, "------", ""].join("\n");
}

/** The lines of `range`, marked, with some around them. Lines are 1-based and inclusive. */
export function sourceFrameText(
  filename: string,
  lines: readonly string[],
  range: { readonly startLine: number; readonly endLine: number },
): string {
  return sourceText({ filename, ...range, ...sourceFrame(lines, range) });
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
