import { expect, test } from "bun:test";
import { UnavailableError } from "#errors/errors.ts";
import { spawnOnTerminal, type TerminalProcess } from "./pseudo-terminal.ts";

const SIZE = { rows: 30, columns: 100 };

function collect(process: TerminalProcess): { readonly text: () => string } {
  const chunks: Uint8Array[] = [];
  process.onData((data) => chunks.push(data.slice()));
  return { text: () => Buffer.concat(chunks).toString() };
}

async function until(condition: () => boolean): Promise<void> {
  for (let wait = 0; wait < 4000 && !condition(); wait++) await Bun.sleep(5);
}

test("spawnOnTerminal() gives a terminal that takes input, is resized, and ends with the exit code", async () => {
  const script = "stty size; read line; echo got $line; trap 'stty size; exit 3' WINCH; while :; do sleep 0.02; done";
  const child = spawnOnTerminal("sh", ["-c", script], SIZE);
  const screen = collect(child);
  await until(() => screen.text().includes("30 100"));
  child.write("hello\n");
  await until(() => screen.text().includes("got hello"));
  child.resize(40, 120);
  expect(await child.exited).toBe(3);
  expect(screen.text()).toContain("40 120");
  child.write("too late");
});

test("spawnOnTerminal() delivers all output before it reports the end, and nothing of the host's environment", async () => {
  const child = spawnOnTerminal("sh", ["-c", "env; seq 20000; echo end"], { ...SIZE, env: { PATH: "/bin", A: "1" } });
  await Bun.sleep(30);
  const screen = collect(child);
  expect(await child.exited).toBe(0);
  expect(screen.text()).toEndWith("20000\r\nend\r\n");
  expect(screen.text()).toContain("A=1\r\n");
  expect(screen.text()).not.toContain("HOME=");
});

test("TerminalProcess.pause() makes the program wait, until resume() or its end", async () => {
  const child = spawnOnTerminal("sh", ["-c", "while :; do echo 0123456789; done"], SIZE);
  let received = 0;
  child.onData((data) => {
    received += data.length;
  });
  await until(() => received > 100_000);
  child.pause();
  let before = -1;
  while (before !== received) {
    before = received;
    await Bun.sleep(200);
  }
  child.resume();
  await until(() => received > before + 100_000);
  expect(received).toBeGreaterThan(before + 100_000);
  child.pause();
  child.kill("SIGKILL");
  expect(await child.exited).toBe(137);
  child.resume();
});

test("spawnOnTerminal() reports a signal as 128 + its number, and a missing program", async () => {
  const child = spawnOnTerminal("sleep", ["10"], SIZE);
  child.kill("SIGKILL");
  expect(await child.exited).toBe(137);
  expect(() => spawnOnTerminal("no-such-program", [], SIZE)).toThrow(UnavailableError);
});

test("spawnOnTerminal() ends although a background program keeps the terminal", async () => {
  const child = spawnOnTerminal("sh", ["-c", "trap '' HUP; sleep 1000 & echo $!; exit 4"], SIZE);
  const screen = collect(child);
  expect(await child.exited).toBe(4);
  process.kill(Number(screen.text()), "SIGKILL");
});
