import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { BerthError, errorMessage } from "#errors/errors.ts";
import { DockerfileError } from "../parse/dockerfile-error.ts";
import { parseDockerfile, parseTrigger } from "./parse-dockerfile.ts";

/**
 * `testfiles/<case>/{Dockerfile,result.json}` and `testfiles-negative/<case>/{Dockerfile,error.txt}`; UPDATE_GOLDENS=1 rewrites the expectations:
 * read the difference before committing it.
 */
const UPDATE = process.env["UPDATE_GOLDENS"] === "1";

function casesOf(directory: string): readonly (readonly [string, string])[] {
  const root = join(import.meta.dirname, directory);
  return readdirSync(root)
    .sort()
    .map((name) => [name, join(root, name)] as const);
}

describe("parseDockerfile() reads", () => {
  test.each(casesOf("testfiles").map((item) => [...item]))("%s", (_, directory) => {
    const { lines: _lines, ...parsed } = parseDockerfile(readFileSync(join(directory, "Dockerfile")));
    const path = join(directory, "result.json");
    if (UPDATE) writeFileSync(path, `${JSON.stringify(parsed, null, 2)}\n`);
    expect(JSON.parse(JSON.stringify(parsed))).toEqual(JSON.parse(readFileSync(path, "utf8")));
  });
});

describe("parseDockerfile() refuses", () => {
  test.each(casesOf("testfiles-negative").map((item) => [...item]))("%s", (_, directory) => {
    const path = join(directory, "error.txt");
    const failure = failureOf(readFileSync(join(directory, "Dockerfile")));
    if (UPDATE) writeFileSync(path, failure);
    expect(failure).toBe(readFileSync(path, "utf8"));
  });
});

/** The message, and below it the lines that the error points at. */
function failureOf(bytes: Uint8Array): string {
  try {
    parseDockerfile(bytes);
  } catch (error) {
    const lines = error instanceof DockerfileError ? `lines ${error.startLine}-${error.endLine}` : "no lines";
    return `${errorMessage(error)}\n${lines}\n`;
  }
  return "no error";
}

describe("parseDockerfile()", () => {
  test("gives every error the lines of the file", () => {
    try {
      parseDockerfile(Buffer.from("FROM scratch\r\nRUNN x\n"));
      throw new Error("it should have failed");
    } catch (error) {
      expect((error as DockerfileError).sourceLines).toEqual(["FROM scratch", "RUNN x"]);
    }
  });

  test("reads a line of 65535 bytes and refuses a longer one", () => {
    const run = (bytes: number): Buffer => Buffer.from(`FROM scratch\nRUN ${"x".repeat(bytes - 4)}\n`);
    expect(failureOf(run(65535))).toBe("no error");
    expect(failureOf(run(65536))).toBe("dockerfile line greater than max allowed size of 65535\nlines 2-2\n");
  });

  test("throws nothing but its own errors, and keeps ranges in order, for any text", () => {
    const words =
      "FROM scratch|RUN|COPY|ENV|ARG|LABEL|ONBUILD|HEALTHCHECK|CMD|--from=x|--mount=a|\\|`|<<EOF|EOF|<<-|\n|\n|\"|'|=|[|]|$|${|#|# escape=`|a|b=c| |\t|\r";
    const word = fc.constantFrom(...words.split("|"));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (pieces) => {
        try {
          const parsed = parseDockerfile(Buffer.from(`FROM scratch\n${pieces.join(" ")}`));
          const ranges = parsed.stages.flatMap((stage) => [stage.source, ...stage.instructions.map((it) => it.source)]);
          let last = 0;
          for (const { startLine, endLine } of ranges) {
            expect(startLine).toBeGreaterThan(last);
            expect(endLine).toBeGreaterThanOrEqual(startLine);
            last = endLine;
          }
          expect(last).toBeLessThanOrEqual(parsed.lines.length);
        } catch (error) {
          if (!(error instanceof BerthError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("parseTrigger()", () => {
  test("reads the trigger of an ONBUILD, with its heredoc, at the place of the FROM", () => {
    const source = { startLine: 7, endLine: 7 };
    const [onbuild] = parseDockerfile(Buffer.from("FROM a\nONBUILD RUN <<EOF\nx\nEOF\n")).stages[0]!.instructions;
    if (onbuild?.kind !== "onbuild") throw new Error("not an ONBUILD");
    expect(onbuild.trigger).toBe("RUN <<EOF\nx\nEOF");
    const instruction = parseTrigger(onbuild.trigger, "\\", source);
    expect(instruction).toMatchObject({ kind: "run", source, heredocs: [{ content: "x\n" }] });
  });

  test("keeps to the escape character of the build", () => {
    const trigger = parseTrigger("ENV A=b` c", "`", { startLine: 1, endLine: 1 });
    expect(trigger).toMatchObject({ pairs: [{ key: "A", value: "b` c" }] });
  });
});
