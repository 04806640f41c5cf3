import { expect, test } from "bun:test";
import { aboutSubject, CancelledError, DataLossError, errorMessage } from "./errors.ts";

test("aboutSubject() names the subject once, and keeps class and cause", () => {
  const cause = new Error("why");
  const error = new DataLossError("corrupt gzip data", { cause });
  expect(aboutSubject("layer", "sha256:abc", error)).toBe(error);
  expect(error.message).toBe("layer sha256:abc: corrupt gzip data");
  aboutSubject("layer", "sha256:abc", error);
  expect(error.message).toBe("layer sha256:abc: corrupt gzip data");
  expect(error.cause).toBe(cause);
});

test("aboutSubject() leaves cancellations and foreign errors alone", () => {
  expect(errorMessage(aboutSubject("layer", "x", new CancelledError("cancelled")))).toBe("cancelled");
  expect(errorMessage(aboutSubject("layer", "x", new TypeError("bug")))).toBe("bug");
});
