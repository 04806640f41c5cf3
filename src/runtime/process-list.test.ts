import { expect, test } from "bun:test";
import { selectProcesses } from "./process-list.ts";

test("selectProcesses() keeps the rows of the wanted pids, the last column whole", () => {
  const output = "UID   PID  CMD\nroot    1  init\nroot   42  sh -c sleep 1\n";
  expect(selectProcesses(output, new Set([42]))).toEqual({
    titles: ["UID", "PID", "CMD"],
    processes: [["root", "42", "sh -c sleep 1"]],
  });
});

test("selectProcesses() without a PID column fails in Docker's words", () => {
  expect(() => selectProcesses("CMD\nsh\n", new Set())).toThrow("Couldn't find PID field in ps output");
});
