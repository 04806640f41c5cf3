import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { alignTabs } from "./tabwriter.ts";

describe("alignTabs()", () => {
  test("makes columns at least ten wide and three apart, and none of the last cell", () => {
    expect(alignTabs("ID\tLONG NAME OF IT\tLAST\n1\tx\ty\n")).toBe(
      "ID        LONG NAME OF IT   LAST\n1         x                 y\n",
    );
  });

  test("ends a column where a line has no such cell", () => {
    expect(alignTabs("aaaaaaaaaaaa\tb\nplain\nc\td\n")).toBe("aaaaaaaaaaaa   b\nplain\nc         d\n");
  });

  test("counts characters, not bytes", () => {
    expect(alignTabs("ééééééééé…\tx\n")).toBe("ééééééééé…   x\n");
  });

  test("changes nothing but tabs to spaces", () => {
    const cell = fc.string().map((text) => text.replace(/[\t\n ]/g, "_"));
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 1 })), (lines) => {
        const text = lines.map((cells) => cells.join("\t")).join("\n");
        expect(alignTabs(text).replace(/ +/g, "")).toBe(text.replaceAll("\t", ""));
      }),
    );
  });
});
