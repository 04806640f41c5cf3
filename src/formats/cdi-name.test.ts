import { describe, expect, test } from "bun:test";
import { isCdiName, kindProblem, nameProblem } from "./cdi-name.ts";

describe("isCdiName()", () => {
  test.each(["vendor.com/class=name", "v/c=0", "nvidia.com/gpu=GPU-1:2", "a-b.c_d/e.f=all"])("takes %s", (name) => {
    expect(isCdiName(name)).toBe(true);
  });

  test.each([
    "/dev/null",
    "/dev/a=b",
    "vendor.com/class",
    "vendor.com=name",
    "v/c=",
    "1v/c=n",
    "v/c=n-",
    "v/c=a/b",
    "v/=n",
  ])("takes %s for a path", (name) => {
    expect(isCdiName(name)).toBe(false);
  });
});

describe("kindProblem() and nameProblem()", () => {
  test.each([
    ["class", "invalid vendor. empty name"],
    ["1v/c", 'invalid vendor. "1v", should start with letter'],
    ["v+x/c", "invalid vendor. invalid character '+' in name \"v+x\""],
    ["v/c-", 'invalid class. "c-", should end with a letter or digit'],
  ])("say what is wrong with the kind %s", (kind, problem) => {
    expect(kindProblem(kind)).toBe(problem);
  });

  test.each([
    ["", "invalid (empty) device name"],
    ["-a", 'invalid class "-a", should start with a letter or digit'],
    ["a b", "invalid character ' ' in device name \"a b\""],
    ["a:", 'invalid name "a:", should end with a letter or digit'],
  ])("say what is wrong with the name %s", (name, problem) => {
    expect(nameProblem(name)).toBe(problem);
  });
});
