import { expect, test } from "bun:test";
import { parseDockerfile } from "./parse-dockerfile.ts";
import { type RunScript, runDescription, scriptOf } from "./run-script.ts";
import type { RunInstruction } from "./types.ts";

function run(text: string): RunInstruction {
  const [instruction] = parseDockerfile(Buffer.from(`FROM scratch\n${text}\n`)).stages[0]!.instructions;
  if (instruction?.kind !== "run") throw new Error("not a RUN");
  return instruction;
}

const SCRIPTS: readonly (readonly [string, RunScript])[] = [
  ['RUN ["a", "b"]', { kind: "exec", args: ["a", "b"] }],
  ["RUN a b", { kind: "shell", line: "a b" }],
  ["RUN <<EOF\na\nb\nEOF", { kind: "shell", line: "a\nb\n" }],
  ["RUN <<-EOF\n\ta\n\t\tb\n\tEOF", { kind: "shell", line: "a\nb\n" }],
  ["RUN <<EOF\n#!/usr/bin/env python3\nx\nEOF", { kind: "file", name: "EOF", content: "#!/usr/bin/env python3\nx\n" }],
  ["RUN cat <<-A && cat <<B\n\ta\n\tA\nb\nB", { kind: "shell", line: "cat <<-A && cat <<B\n\ta\nA\nb\nB" }],
  ["RUN python3 <<EOF\n#!x\nEOF", { kind: "shell", line: "python3 <<EOF\n#!x\nEOF" }],
];

test.each(SCRIPTS.map((item) => [...item] as [string, RunScript]))("scriptOf(%j)", (text, expected) => {
  expect(scriptOf(run(text))).toEqual(expected);
});

test("runDescription() sums a bare heredoc up", () => {
  expect(runDescription(run("RUN <<EOF\n\napt-get update\nmore\nEOF"))).toBe("RUN <<EOF (apt-get update...)");
  expect(runDescription(run("RUN <<EOF\none\nEOF"))).toBe("RUN <<EOF (one)");
  expect(runDescription(run("RUN cat <<EOF\none\nEOF"))).toBe("RUN cat <<EOF");
});
