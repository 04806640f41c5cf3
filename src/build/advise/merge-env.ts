import type { Dockerfile, EnvInstruction } from "../instructions/types.ts";
import type { LineEdit } from "./unified-diff.ts";

/** Neighbouring ENVs as one: the image gets one history entry for them. Not where one uses what another sets: they would see the old value. */
export function mergedEnvironments({ stages, lines }: Dockerfile): LineEdit[] {
  return stages.flatMap(({ instructions }) => {
    const groups: EnvInstruction[][] = [];
    let open: EnvInstruction[] | undefined;
    for (const instruction of instructions) {
      const joins = instruction.kind === "env" && isPlain(instruction, lines) && (!open || follows(open, instruction));
      if (instruction.kind !== "env" || !joins) open = undefined;
      else if (open) open.push(instruction);
      else {
        open = [instruction];
        groups.push(open);
      }
    }
    return groups.filter((group) => group.length > 1).map((group) => merged(group, lines));
  });
}

/** On one line, in the form with "=": put together they read as before. */
function isPlain({ source, pairs, text }: EnvInstruction, lines: readonly string[]): boolean {
  const isOneLine = source.startLine === source.endLine && (lines[source.startLine - 1] ?? "").trim() === text.trim();
  return isOneLine && pairs.length > 0 && /^\s*ENV\s+[^\s=]+=/i.test(text);
}

function follows(group: readonly EnvInstruction[], next: EnvInstruction): boolean {
  const last = group.at(-1);
  const names = group.flatMap(({ pairs }) => pairs.map(({ key }) => key));
  const uses = (name: string): boolean => new RegExp(`\\$\\{?${name.replace(/\W/g, "\\$&")}\\b`).test(next.text);
  const repeats = next.pairs.some(({ key }) => names.includes(key));
  return last?.source.endLine === next.source.startLine - 1 && !repeats && !names.some(uses);
}

function merged(group: readonly EnvInstruction[], lines: readonly string[]): LineEdit {
  const values = group.map(({ source }) => (lines[source.startLine - 1] ?? "").trim().replace(/^ENV\s+/i, ""));
  const start = group[0]?.source.startLine ?? 1;
  return {
    start,
    end: group.at(-1)?.source.endLine ?? start,
    lines: values.map(
      (value, index) => `${index === 0 ? "ENV " : "    "}${value}${index < values.length - 1 ? " \\" : ""}`,
    ),
  };
}
