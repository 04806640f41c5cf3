import { expect, test } from "bun:test";
import { parseDockerfile } from "../instructions/parse-dockerfile.ts";
import { scanTargets } from "./scan-targets.ts";

const wanted = (text: string, buildArgs: Record<string, string> = {}, unreached: readonly number[] = []) => {
  const dockerfile = parseDockerfile(Buffer.from(text));
  const reached = new Set(dockerfile.stages.map(({ index }) => index).filter((index) => !unreached.includes(index)));
  return scanTargets(dockerfile, { buildArgs, target: dockerfile.stages.length - 1, reached });
};

const STAGES = "FROM scratch AS base\nFROM base\nFROM base AS test\nFROM base AS last\n";

test("scanTargets() takes a global ARG for all stages that were built, but the last", () => {
  expect(wanted(STAGES)).toEqual({ context: false, stages: [] });
  expect(wanted(`ARG BUILDKIT_SBOM_SCAN_STAGE=true\n${STAGES}`)).toEqual({
    context: false,
    stages: ["base", "stage-1", "test"],
  });
  expect(wanted(`ARG BUILDKIT_SBOM_SCAN_STAGE=true\n${STAGES}`, {}, [2]).stages).toEqual(["base", "stage-1"]);
  expect(wanted(`ARG BUILDKIT_SBOM_SCAN_STAGE=Base,test,none\n${STAGES}`).stages).toEqual(["base", "test"]);
  expect(wanted(`ARG BUILDKIT_SBOM_SCAN_CONTEXT=1\n${STAGES}`)).toEqual({ context: true, stages: [] });
});

test("scanTargets() takes an ARG of a stage for this one, and build arguments where they are declared", () => {
  const own = "FROM scratch AS a\nARG BUILDKIT_SBOM_SCAN_STAGE=true\nFROM a AS b\nFROM b\n";
  expect(wanted(own).stages).toEqual(["a"]);
  expect(wanted(own, { BUILDKIT_SBOM_SCAN_STAGE: "false" }).stages).toEqual([]);
  expect(wanted(`ARG BUILDKIT_SBOM_SCAN_STAGE\n${own}`, { BUILDKIT_SBOM_SCAN_STAGE: "b" }).stages).toEqual(["b"]);
  expect(
    wanted(`ARG BUILDKIT_SBOM_SCAN_STAGE=true\nFROM scratch AS a\nFROM a\nARG BUILDKIT_SBOM_SCAN_STAGE\n`).stages,
  ).toEqual(["a"]);
  expect(wanted(STAGES, { BUILDKIT_SBOM_SCAN_STAGE: "true", BUILDKIT_SBOM_SCAN_CONTEXT: "true" })).toEqual({
    context: false,
    stages: [],
  });
  // The context is scanned for the stage that is built.
  expect(wanted("FROM scratch AS a\nARG BUILDKIT_SBOM_SCAN_CONTEXT=true\nFROM a\n").context).toBe(false);
  expect(wanted("FROM scratch AS a\nFROM a\nARG BUILDKIT_SBOM_SCAN_CONTEXT=true\n").context).toBe(true);
});
