import { expect, test } from "bun:test";
import { listProcesses, selectProcesses } from "./process-list.ts";

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

test("listProcesses() asks for the wanted pids alone, also with options that do not go with that", async () => {
  for (const args of [[], ["-ef"], ["aux"], ["-o", "pid,args"], ["axf"]]) {
    const { processes } = await listProcesses([process.pid], args);
    expect(processes).toHaveLength(1);
    expect(processes[0]).toContain(String(process.pid));
  }
  expect((await listProcesses([], [])).processes).toEqual([]);
  await expect(listProcesses([process.pid], ["--nope"])).rejects.toThrow(/^ps: /);
});
