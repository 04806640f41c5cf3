import type { SolveStatus } from "#spec/solve-status.ts";

/** A step of a stage that stands for an operation. */
const STEP = /^\[(llb\d+) +\d+\/\d+\] /;

/** The definition's own operations, by the names that the client gave them, without what is only there because it became a Dockerfile. */
export function shownStatus({ vertexes = [], ...rest }: SolveStatus, names: ReadonlyMap<string, string>): SolveStatus {
  const shown = vertexes.flatMap(({ reasons: _, ...vertex }) => {
    const [prefix, stage = ""] = STEP.exec(vertex.name) ?? [];
    if (prefix) return [{ ...vertex, name: names.get(stage) ?? vertex.name.slice(prefix.length) }];
    return /^\[internal\] load (build definition|\.dockerignore)/.test(vertex.name) ? [] : [vertex];
  });
  return { ...rest, vertexes: shown };
}
