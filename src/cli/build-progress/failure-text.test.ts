import { expect, test } from "bun:test";
import { failureText } from "./failure-text.ts";

test("failureText() shows the step, its last lines, the Dockerfile and the error", () => {
  const text = failureText({
    message: 'failed to solve: process "/bin/sh -c exit 7" did not complete successfully: exit code: 7',
    vertexName: "[2/2] RUN exit 7",
    tail: ["0.100 almost"],
    source: {
      filename: "Dockerfile",
      startLine: 2,
      endLine: 2,
      firstLine: 1,
      text: ["FROM busybox", "RUN exit 7", "CMD a"],
    },
  });
  expect(text).toBe(`------
 > [2/2] RUN exit 7:
0.100 almost
------
Dockerfile:2
--------------------
   1 |     FROM busybox
   2 | >>> RUN exit 7
   3 |     CMD a
--------------------
ERROR: failed to build: failed to solve: process "/bin/sh -c exit 7" did not complete successfully: exit code: 7
`);
});

test("failureText() of a failure without a place is its message", () => {
  expect(failureText({ message: "failed to solve: no space left" })).toBe(
    "ERROR: failed to build: failed to solve: no space left\n",
  );
});
