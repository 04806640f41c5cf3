import { describe, expect, test } from "bun:test";
import { DockerfileError } from "../parse/dockerfile-error.ts";
import { containerPorts } from "./container-ports.ts";
import { expandInstruction } from "./expand.ts";
import { parseDockerfile } from "./parse-dockerfile.ts";
import type { Instruction } from "./types.ts";

const VARIABLES = new Map([
  ["a", "old"],
  ["p", "80 81/udp"],
  ["d", "/dir"],
]);

function expand(text: string, escaper: "\\" | "`" = "\\"): Instruction {
  const [instruction] = parseDockerfile(Buffer.from(`# escape=${escaper}\nFROM scratch\n${text}\n`)).stages[0]!
    .instructions;
  return expandInstruction(instruction!, VARIABLES, escaper);
}

describe("expandInstruction()", () => {
  test("all words of one ENV see the old values", () => {
    expect(expand('ENV a=new b=$a "$a"=${a:-x}')).toMatchObject({
      pairs: [
        { key: "a", value: "new" },
        { key: "b", value: "old" },
        { key: "old", value: "old" },
      ],
    });
  });

  test("expands what COPY names, and heredocs whose word is not quoted", () => {
    expect(expand("COPY --chown=$a --chmod=$a $d/x <<A <<'B' $d/\nsay \"$a\" \\$a\nA\n$a\nB")).toMatchObject({
      sources: ["/dir/x"],
      destination: "/dir/",
      chown: "old",
      chmod: "old",
      heredocs: [{ content: 'say "old" $a\n' }, { content: "$a\n" }],
    });
  });

  test("expands ARG, LABEL, WORKDIR, USER, STOPSIGNAL and VOLUME", () => {
    expect(expand("ARG x=$a y")).toMatchObject({ args: [{ key: "x", value: "old" }, { key: "y" }] });
    expect(expand("LABEL k='$a' l=\"$a\"")).toMatchObject({ pairs: [{ value: "$a" }, { value: "old" }] });
    expect(expand("WORKDIR $d/sub")).toMatchObject({ path: "/dir/sub" });
    expect(expand("USER $a:$a")).toMatchObject({ user: "old:old" });
    expect(expand("STOPSIGNAL SIG$a")).toMatchObject({ signal: "SIGold" });
    expect(expand('VOLUME ["$d", "/x"]')).toMatchObject({ paths: ["/dir", "/x"] });
    expect(expand("WORKDIR c:`$a\\$a", "`")).toMatchObject({ path: "c:$a\\old" });
  });

  test("EXPOSE splits what it expanded and lists ports one by one", () => {
    expect(expand("EXPOSE $p 90-92 1.2.3.4:8080:53/UDP")).toMatchObject({
      ports: ["80/tcp", "81/udp", "53/udp", "90/tcp", "91/tcp", "92/tcp"],
    });
  });

  test("leaves RUN, CMD and ONBUILD to those who run them", () => {
    for (const text of ["RUN echo $a", "CMD echo $a", "ONBUILD ENV x=$a"]) {
      expect(JSON.stringify(expand(text))).toContain("$a");
    }
  });

  test("a fault has the place of its instruction", () => {
    try {
      expand("ENV b=${a:?} \\\n  c=${nope:?really}");
      throw new Error("it should have failed");
    } catch (error) {
      expect(error).toBeInstanceOf(DockerfileError);
      expect(error).toMatchObject({ startLine: 3, endLine: 4, message: expect.stringContaining("nope: really") });
    }
  });
});

describe("containerPorts()", () => {
  test.each([["x"], ["80-70"], ["70000"], [""], ["80/http"], ["/tcp"]])("refuses %p", (spec) => {
    expect(() => containerPorts(spec)).toThrow();
  });
});
