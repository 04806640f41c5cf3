import { afterAll, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../harness/until.ts";
import { bunJob } from "./job.ts";
import { OwnMachines, removeKilledRuns } from "./own-machine.ts";
import { runProgram } from "./program.ts";

const machines = new OwnMachines();
afterAll(() => machines[Symbol.dispose]());

const LIMITS = { silent: 100, all: 100 };

describe("runProgram()", () => {
  test("runs a program where nothing of this machine is, and names what it leaves behind", async () => {
    const script = [
      "ls /tmp; ip -o link | wc -l; nft list tables; ls /proc | grep -c '^[0-9]'",
      "sleep 98765 &",
      "ip link add br-left type bridge; nft add table ip left; mkdir /tmp/left; mount -t tmpfs tmpfs /tmp/left; exit 7",
    ].join("\n");
    const { output, exitCode, hung } = await runProgram(["sh", "-c", script], machines, LIMITS);
    expect({ exitCode, hung }).toEqual({ exitCode: 7, hung: undefined });
    const [links, processes, ...left] = output.trim().split("\n");
    expect(Number(links)).toBeLessThan(10);
    expect(Number(processes)).toBeLessThan(10);
    expect(left).toEqual([
      "LEFT BEHIND: file /tmp/left",
      "LEFT BEHIND: link br-left",
      "LEFT BEHIND: mount /tmp/left",
      "LEFT BEHIND: nft table ip left",
      "LEFT BEHIND: process sleep 98765",
    ]);
    expect(existsSync(join(tmpdir(), "left"))).toBe(false);
  });

  test("kills what says nothing, and what takes too long, with all that it started", async () => {
    const silent = await runProgram(["sh", "-c", "echo begun; sleep 87654"], machines, { silent: 3, all: 60 });
    expect(silent).toMatchObject({ output: "begun\n", exitCode: 137, hung: "said nothing for 3 s" });
    const chatter = "sleep 87654 & while true; do echo on; sleep 0.1; done";
    const long = await runProgram(["sh", "-c", chatter], machines, { silent: 60, all: 3 });
    expect(long).toMatchObject({ exitCode: 137, hung: "took longer than 3 s" });
    await until(() => processesNaming("87654") === 0);
  });
});

describe("bunJob()", () => {
  test("of a file whose test never ends names the file and the last test before it", async () => {
    const directory = mkdtempSync(join(import.meta.dirname, ".hang-"));
    try {
      const tests = ['test("ends", () => undefined);', 'test("hangs", () => { for (;;) ; });'];
      writeFileSync(join(directory, "hangs.test.ts"), ['import { test } from "bun:test";', ...tests, ""].join("\n"));
      const file = join("tools/test-run", directory.slice(import.meta.dirname.length + 1), "hangs.test.ts");
      const { outcomes } = await bunJob(file, [file], machines, { silent: 3, all: 60 }).run();
      expect(outcomes).toHaveLength(1);
      expect(outcomes[0]).toMatchObject({ file, passed: 1 });
      const title = 'said nothing for 3 s behind the test "ends", and was killed';
      expect(outcomes[0]?.failures).toMatchObject([{ file, title, isHang: true }]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe("removeKilledRuns()", () => {
  test("removes what a run left that was killed, whose programs have ended with it; and of no other", async () => {
    const parent = mkdtempSync(join(tmpdir(), "killed-"));
    const script = `
      import { OwnMachines } from ${JSON.stringify(join(import.meta.dirname, "own-machine.ts"))};
      import { runProgram } from ${JSON.stringify(join(import.meta.dirname, "program.ts"))};
      const command = ["sh", "-c", "mkdir -p /tmp/engine/data; sleep 76543 & sleep 76543"];
      await runProgram(command, new OwnMachines(${JSON.stringify(parent)}), { silent: 600, all: 600 });
    `;
    const child = spawn(process.execPath, ["-e", script], { stdio: "ignore" });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    try {
      await until(() => processesNaming("76543") === 3);
      expect(removeKilledRuns(parent)).toEqual([]);
      child.kill("SIGKILL");
      await ended;
      await until(() => processesNaming("76543") === 0);
      mkdirSync(join(parent, "berth-test-run-others"));
      const left = readdirSync(parent).filter((name) => name !== "berth-test-run-others");
      expect(removeKilledRuns(parent)).toEqual(left.map((name) => join(parent, name)));
      expect(left).toHaveLength(1);
      expect(readdirSync(parent)).toEqual(["berth-test-run-others"]);
    } finally {
      child.kill("SIGKILL");
      rmSync(parent, { recursive: true });
    }
  });
});

function processesNaming(word: string): number {
  const commands = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return "";
      }
    });
  return commands
    .filter((command) => command.startsWith("sleep\0") || command.startsWith("sh\0"))
    .filter((command) => command.includes(word)).length;
}
