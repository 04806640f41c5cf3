import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "#formats/digest.ts";
import type { BaseImage } from "../builder.ts";
import { parseDockerfile } from "../instructions/parse-dockerfile.ts";
import { findingLine } from "./check-findings.ts";
import { DockerfileChecks } from "./dockerfile-checks.ts";
import { CHECK_RULES } from "./rules.ts";

const FIXTURES = join(import.meta.dirname, "fixtures");

/** Two images: `amd` for this platform and `arm-only` for another, whatever was asked for. */
function image(reference: string): BaseImage {
  const architecture = reference.includes("arm-only") ? "arm64" : "amd64";
  const config = { os: "linux", architecture, config: {}, rootfs: { type: "layers" as const, diff_ids: [] } };
  return { id: digestOf(reference), config, layers: [] };
}

interface CheckOptions {
  readonly ignore?: string;
  readonly args?: Record<string, string>;
  readonly isFileOnly?: boolean;
}

function check(text: string, options: CheckOptions = {}): DockerfileChecks {
  const build = { buildArgs: options.args ?? {}, target: "", platforms: ["linux/amd64"] };
  const checks = new DockerfileChecks(parseDockerfile(Buffer.from(text)), build, options.ignore);
  checks.ofFile();
  if (options.isFileOnly) return checks;
  const stages = checks.plannedStages(true);
  const onImages = stages.filter(({ reference }) => reference !== "");
  checks.ofStages(stages, new Map(onImages.map(({ index, reference }) => [index, image(reference)])));
  return checks;
}

const found = (...args: Parameters<typeof check>): string[] => check(...args).findings.map(findingLine);

describe("build checks", () => {
  test("every rule has a folder of fixtures", () => {
    expect(readdirSync(FIXTURES).sort()).toEqual(Object.keys(CHECK_RULES).sort());
  });

  test.each(readdirSync(FIXTURES))("%s finds what bad.expected says, and nothing in a good file", (name) => {
    const read = (file: string): string => readFileSync(join(FIXTURES, name, file), "utf8");
    const ignore = existsSync(join(FIXTURES, name, "ignore")) ? read("ignore") : "";
    const ofRule = (file: string): string[] =>
      found(read(file), { ignore, isFileOnly: name === "InvalidDefaultArgInFrom" }).filter((line) =>
        line.startsWith(`${name}:`),
      );
    expect(
      ofRule("bad.Dockerfile")
        .map((line) => `${line}\n`)
        .join(""),
    ).toBe(read("bad.expected"));
    expect(ofRule("good.Dockerfile")).toEqual([]);
  });

  test("# check= and BUILDKIT_DOCKERFILE_CHECK choose rules, the argument before the directive", () => {
    const bad = "FROM scratch AS A\nMAINTAINER me\n";
    expect(found(bad)).toHaveLength(2);
    expect(found(`# check=skip=StageNameCasing\n${bad}`)).toEqual([
      "MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label (line 3)",
    ]);
    expect(found(`# check=skip=all\n${bad}`)).toEqual([]);
    expect(
      found(`# check=skip=all\n${bad}`, { args: { BUILDKIT_DOCKERFILE_CHECK: "skip=StageNameCasing" } }),
    ).toHaveLength(1);
    expect(() => check(`# check=error=true\n${bad}`).refuse()).toThrow(
      "lint violation found for rules: MaintainerDeprecated, StageNameCasing",
    );
    expect(() => check(bad).refuse()).not.toThrow();
  });

  test("a .dockerignore with exceptions says nothing of single paths", () => {
    expect(found("FROM scratch\nCOPY a /\n", { ignore: "*\n!a\n" })).toEqual([]);
    expect(found("FROM scratch\nCOPY . /\n", { ignore: "*\n" })).toEqual([
      'CopyIgnoredFile: Attempting to Copy file "." that is excluded by .dockerignore (line 2)',
    ]);
  });

  test("a stage continues from the stage that it stands on", () => {
    expect(found("FROM scratch AS a\nARG x=1\nWORKDIR /w\nFROM a\nWORKDIR b\nUSER $x\n")).toEqual([]);
  });
});
