import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { killByArgument } from "./find-processes.ts";

test("killByArgument() ends the processes that are meant, and no other", async () => {
  const mark = `berth-test-${process.pid}`;
  const start = (name: string) => {
    // A builtin that blocks: the shell has no child that would outlive it.
    const child = spawn("sh", ["-c", "read line", name], { stdio: ["pipe", "ignore", "ignore"] });
    return {
      child,
      ended: new Promise<string | null>((resolve) => child.once("exit", (_, signal) => resolve(signal))),
    };
  };
  const meant = [start(`--bundle=/${mark}/a`), start(`--bundle=/${mark}/b`)];
  const other = start(`--bundle=/${mark}-not/a`);
  await Bun.sleep(50);
  await killByArgument((argument) => argument.startsWith(`--bundle=/${mark}/`));
  expect(await Promise.all(meant.map(({ ended }) => ended))).toEqual(["SIGKILL", "SIGKILL"]);
  expect(other.child.signalCode).toBeNull();
  other.child.kill("SIGKILL");
  await other.ended;
});
