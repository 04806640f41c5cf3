import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setDescriptorLimit } from "./descriptor-limit.ts";

test("setDescriptorLimit() sets both limits of another process; one that has ended is nothing to complain of", async () => {
  const child = spawn("sleep", ["60"]);
  const pid = child.pid ?? 0;
  setDescriptorLimit(pid, { soft: 100, hard: 200 });
  expect(readFileSync(`/proc/${pid}/limits`, "utf8")).toMatch(/Max open files\s+100\s+200\s/);
  expect(() => setDescriptorLimit(pid, { soft: 300, hard: 200 })).toThrow("prlimit");
  // No limit is more than the kernel gives, and refused as such, not a number that JavaScript cannot write.
  setDescriptorLimit(pid, { soft: 100, hard: Number.POSITIVE_INFINITY });
  expect(readFileSync(`/proc/${pid}/limits`, "utf8")).toMatch(/Max open files\s+100\s+200\s/);
  child.kill("SIGKILL");
  await once(child, "exit");
  setDescriptorLimit(pid, { soft: 100, hard: 200 });
});
