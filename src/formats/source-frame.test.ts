import { expect, test } from "bun:test";
import { sourceFrame } from "./source-frame.ts";

const LINES = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

test("sourceFrame() shows lines on both sides of a single one", () => {
  expect(sourceFrame(LINES, { startLine: 5, endLine: 5 })).toEqual({ firstLine: 3, text: ["3", "4", "5", "6", "7"] });
});

test("sourceFrame() shows one line on each side of several", () => {
  expect(sourceFrame(LINES, { startLine: 4, endLine: 6 })).toEqual({ firstLine: 3, text: ["3", "4", "5", "6", "7"] });
});

test("sourceFrame() stays within the file", () => {
  expect(sourceFrame(LINES, { startLine: 1, endLine: 1 }).firstLine).toBe(1);
  expect(sourceFrame(["x"], { startLine: 1, endLine: 9 })).toEqual({ firstLine: 1, text: ["x"] });
});
