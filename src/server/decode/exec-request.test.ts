import { describe, expect, test } from "bun:test";
import { decodeExecCreate, decodeExecStart } from "./exec-request.ts";

describe("decodeExecCreate()", () => {
  test("reads a command; without one it is empty", () => {
    expect(decodeExecCreate({ Cmd: ["ls"], Env: null, ConsoleSize: [24, 80] }, "")).toEqual({
      Cmd: ["ls"],
      ConsoleSize: [24, 80],
    });
    expect(decodeExecCreate({}, "")).toEqual({ Cmd: [] });
  });

  test("refuses a command that is no list", () => {
    expect(() => decodeExecCreate({ Cmd: "ls" }, "")).toThrow('cannot read "Cmd": expected a list, not a string');
  });
});

describe("decodeExecStart()", () => {
  test("fills a short console size with zeros, as Go does", () => {
    expect(decodeExecStart({ Detach: true, ConsoleSize: [24] }, "")).toEqual({ Detach: true, ConsoleSize: [24, 0] });
  });
});
