import { describe, expect, test } from "bun:test";
import { pathName } from "./path-name.ts";

describe("pathName()", () => {
  test("trims and escapes; slashes stay in names of images", () => {
    expect(pathName("container", " a b/c ")).toBe("a%20b%2Fc");
    expect(pathName("image", "host:5000/a b:v1")).toBe("host%3A5000/a%20b%3Av1");
  });

  test("refuses what is empty, in docker's words", () => {
    expect(() => pathName("container", "")).toThrow("invalid container name or ID: value is empty");
    expect(() => pathName("volume", " ")).toThrow("invalid volume name or ID: value is empty");
  });
});
