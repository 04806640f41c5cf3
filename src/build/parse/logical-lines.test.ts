import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { joinLines } from "./logical-lines.ts";

function lines(text: string): ReturnType<typeof joinLines>["lines"] {
  return joinLines(text.match(/[^\n]*\n|[^\n]+$/g) ?? []).lines;
}

/** Words that mean nothing to the parser. */
const WORDS = fc.array(fc.stringMatching(/^[a-z0-9=,.:é-]+$/), { minLength: 2, maxLength: 6 });
/** What may stand between the two halves of a line. */
const BREAKS = fc.constantFrom("\\\n", "\\  \n", "\\\t\n", "\\\r\n", "\\\n# a remark\n", "\\\n   # one\n#two\n");

describe("joinLines()", () => {
  test("gives the same line wherever it was continued", () => {
    fc.assert(
      fc.property(WORDS, fc.nat(), BREAKS, (words, at, gap) => {
        const text = `LABEL ${words.join(" ")}`;
        // Before a blank: the next line's own blanks stay.
        const places = [...text.matchAll(/ /g)].map(({ index }) => index);
        const place = places[at % places.length] ?? 0;
        const [whole] = lines(text);
        const [continued] = lines(`${text.slice(0, place)}${gap}${text.slice(place)}\n`);
        expect(continued?.text).toBe(whole?.text ?? "");
      }),
    );
  });

  test("says where an instruction stands, its continuations and heredocs with it", () => {
    const text = "# one\n\nRUN a \\\n  b\nCOPY <<X <<-Y /\nx\nX\n\ty\n\tY\nCMD c";
    expect(lines(text).map(({ source }) => [source.startLine, source.endLine])).toEqual([
      [3, 4],
      [5, 9],
      [10, 10],
    ]);
    expect(lines(text)[1]?.heredocs.map(({ content }) => content)).toEqual(["x\n", "y\n"]);
  });

  test("takes a heredoc's body as it is", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[ -~]*$/)), (body) => {
        fc.pre(!body.includes("END"));
        const content = body.map((line) => `${line}\n`).join("");
        const [line] = lines(`RUN <<END\n${content}END\nCMD x\n`);
        expect(line?.heredocs[0]?.raw).toBe(content);
      }),
    );
  });

  test("names the lines of a heredoc that does not end", () => {
    expect(() => lines("FROM a\nRUN <<END\nx\n")).toThrow("unterminated heredoc");
  });
});
