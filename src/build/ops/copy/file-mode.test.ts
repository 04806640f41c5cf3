import { expect, test } from "bun:test";
import { applyMode } from "./file-mode.ts";

test("applyMode() reads octal and symbolic modes as chmod(1)", () => {
  const file = (text: string, mode: number): number => applyMode(text, mode, false);
  expect(file("755", 0o644)).toBe(0o755);
  expect(file("4755", 0o644)).toBe(0o4755);
  expect(file("u+x", 0o644)).toBe(0o744);
  expect(file("+x", 0o644)).toBe(0o755);
  expect(file("go-r", 0o644)).toBe(0o600);
  expect(file("u=rwx,go=rX", 0o600)).toBe(0o755);
  expect(file("a+X", 0o644)).toBe(0o644);
  expect(applyMode("a+X", 0o644, true)).toBe(0o755);
  expect(file("g=u", 0o640)).toBe(0o660);
  expect(file("u+s", 0o755)).toBe(0o4755);
  expect(file("+t", 0o755)).toBe(0o1755);
});
