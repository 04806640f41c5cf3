import type { StepResult } from "./step.ts";

/** A step of the tour on both engines. */
export interface Compared {
  readonly step: string;
  readonly docker: StepResult;
  readonly berth: StepResult;
  readonly isSame: boolean;
}

/** Puts two walks of one tour side by side. */
export function compare(docker: readonly StepResult[], berth: readonly StepResult[]): Compared[] {
  return docker.map((reference, index) => {
    const own = berth[index];
    if (own?.step !== reference.step) throw new Error(`the walks differ at ${reference.step}`);
    return { step: reference.step, docker: reference, berth: own, isSame: isSame(reference, own) };
  });
}

function isSame(one: StepResult, other: StepResult): boolean {
  return one.exitCode === other.exitCode && one.stdout === other.stdout && one.stderr === other.stderr;
}

/** For a failing test: what each engine did, as short as it can be read. */
export function describeDifference({ step, docker, berth }: Compared): string {
  const sides = [docker, berth].map(({ exitCode, stdout, stderr }, side) => {
    const text = [`exit ${exitCode}`, stdout.trimEnd(), stderr.trimEnd()].filter((part) => part !== "").join("\n");
    return `${side === 0 ? "dockerd" : "berth"}: ${text}`;
  });
  return `${step}\n${sides.join("\n")}`;
}
