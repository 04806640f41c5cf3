import { afterAll, afterEach, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseLogTime } from "#formats/container-log.ts";
import { LogGenerations } from "./generations.ts";
import { type ReadLogOptions, readLog } from "./reader.ts";
import { rotateFiles } from "./rotation.ts";
import { LogWatch } from "./watch.ts";

const directories: string[] = [];
/** Bun spins when nothing but kernel events is awaited. */
const keepAlive = setInterval(() => undefined, 60_000);
afterAll(() => clearInterval(keepAlive));

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function newLog(): string {
  const directory = mkdtempSync(join(tmpdir(), "berth-log-"));
  directories.push(directory);
  return join(directory, "container.log");
}

function line(number: number, stream = "stdout"): string {
  const second = String(number % 60).padStart(2, "0");
  const minute = String(Math.floor(number / 60) % 60).padStart(2, "0");
  return `2026-01-31T12:${minute}:${second}.000000000+00:00 ${stream} F line ${number}\n`;
}

function lines(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, index) => line(from + index)).join("");
}

async function read(options: Partial<ReadLogOptions> & { readonly path: string }): Promise<string[]> {
  const texts: string[] = [];
  for await (const batch of readLog({ follow: false, stdout: true, stderr: true, ...options })) {
    for (let index = 0; index < batch.count; index++) texts.push(batch.text(index).toString());
  }
  return texts;
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `line ${from + index}\n`);
}

test("readLog() reads rotated files first, then the current one", async () => {
  const path = newLog();
  writeFileSync(`${path}.2`, lines(0, 3));
  writeFileSync(`${path}.1`, lines(3, 5));
  writeFileSync(path, lines(5, 9));
  expect(await read({ path })).toEqual(numbers(0, 9));
});

test("readLog() of a log that does not exist is empty", async () => {
  expect(await read({ path: newLog() })).toEqual([]);
});

test("readLog({tail}) gives the last lines, across files, with parts counted as one line", async () => {
  const path = newLog();
  const time = "2026-01-31T12:30:00.000000000+00:00";
  writeFileSync(`${path}.1`, lines(0, 3000));
  writeFileSync(path, `${lines(3000, 3002)}${time} stdout P par\n${time} stdout F t\n`);
  expect(await read({ path, tail: 0 })).toEqual([]);
  expect(await read({ path, tail: 1 })).toEqual(["par", "t\n"]);
  expect(await read({ path, tail: 2 })).toEqual(["line 3001\n", "par", "t\n"]);
  expect(await read({ path, tail: 1500 })).toEqual([...numbers(1503, 3002), "par", "t\n"]);
  expect(await read({ path, tail: 1_000_000 })).toHaveLength(3004);
});

test("readLog({tail}) counts a prompt without newline as a line", async () => {
  const path = newLog();
  writeFileSync(path, `${lines(0, 3)}2026-01-31T12:30:00.000000000+00:00 stdout P $ \n`);
  expect(await read({ path, tail: 2 })).toEqual(["line 2\n", "$ "]);
});

test("readLog({since, until}) includes both ends", async () => {
  const path = newLog();
  writeFileSync(path, lines(0, 60));
  const since = parseLogTime("2026-01-31T12:00:10Z");
  const until = parseLogTime("2026-01-31T12:00:12Z");
  expect(await read({ path, since, until })).toEqual(numbers(10, 13));
});

test("readLog() selects one stream", async () => {
  const path = newLog();
  writeFileSync(path, line(1) + line(2, "stderr") + line(3));
  expect(await read({ path, stdout: false })).toEqual(["line 2\n"]);
  expect(await read({ path, stderr: false })).toEqual(["line 1\n", "line 3\n"]);
});

test("readLog({from: 'now'}) gives only what comes after the call, even if read later", async () => {
  const path = newLog();
  writeFileSync(path, lines(0, 3));
  const ended = Promise.withResolvers<void>();
  const options = { path, follow: true, from: "now", stdout: true, stderr: true, ended: ended.promise } as const;
  const reader = readLog(options);
  appendFileSync(path, lines(3, 5));
  ended.resolve();
  const texts: string[] = [];
  for await (const batch of reader) for (let i = 0; i < batch.count; i++) texts.push(batch.text(i).toString());
  expect(texts).toEqual(numbers(3, 5));
});

test("readLog({follow}) delivers each line as it comes and stops on abort", async () => {
  const path = newLog();
  writeFileSync(path, "");
  const abort = new AbortController();
  const reader = readLog({ path, follow: true, stdout: true, stderr: true, signal: abort.signal });
  for (let number = 0; number < 10; number++) {
    const next = reader.next();
    await Bun.sleep(3);
    appendFileSync(path, line(number));
    const { value } = await next;
    expect(value?.text(0).toString()).toBe(`line ${number}\n`);
  }
  const last = reader.next();
  abort.abort();
  expect((await last).done).toBe(true);
});

test("readLog({follow}) waits for a log that is made later", async () => {
  const path = newLog();
  const ended = Promise.withResolvers<void>();
  const all = read({ path, follow: true, ended: ended.promise });
  await Bun.sleep(5);
  writeFileSync(path, lines(0, 2));
  await Bun.sleep(5);
  ended.resolve();
  expect(await all).toEqual(numbers(0, 2));
});

test("readLog({follow}) loses nothing when the log rotates many times, even to a reader that does not read", async () => {
  const path = newLog();
  writeFileSync(path, lines(0, 10));
  const ended = Promise.withResolvers<void>();
  const reader = readLog({ path, follow: true, stdout: true, stderr: true, ended: ended.promise });
  const texts: string[] = [];
  const take = (batch: { readonly count: number; text(index: number): Buffer } | undefined): void => {
    for (let index = 0; index < (batch?.count ?? 0); index++) texts.push(batch?.text(index).toString() ?? "");
  };
  take((await reader.next()).value);
  for (let round = 1; round <= 12; round++) {
    rotateFiles(path, 3);
    // conmon writes on to the renamed file until it has reopened.
    appendFileSync(`${path}.1`, lines(round * 10, round * 10 + 5));
    writeFileSync(path, "");
    appendFileSync(path, lines(round * 10 + 5, round * 10 + 10));
    await Bun.sleep(5);
  }
  ended.resolve();
  for (let next = await reader.next(); !next.done; next = await reader.next()) take(next.value);
  expect(texts).toEqual(numbers(0, 130));
});

test("readLog() gives what was there at the call, so that a tail has as many lines as were asked for", async () => {
  const path = newLog();
  writeFileSync(path, lines(0, 3));
  const reader = readLog({ path, follow: false, tail: 2, stdout: true, stderr: true });
  appendFileSync(path, lines(3, 5));
  const texts: string[] = [];
  for await (const batch of reader)
    for (let index = 0; index < batch.count; index++) texts.push(batch.text(index).toString());
  expect(texts).toEqual(numbers(1, 3));
});

test("readLog({follow}) reads nothing twice when the log is removed before the files that it was rotated to", async () => {
  const path = newLog();
  writeFileSync(path, lines(0, 3));
  const ended = Promise.withResolvers<void>();
  const reader = readLog({ path, follow: true, stdout: true, stderr: true, ended: ended.promise });
  const texts: string[] = [];
  const take = async (): Promise<void> => {
    const { value, done } = await reader.next();
    if (!done) for (let index = 0; index < value.count; index++) texts.push(value.text(index).toString());
  };
  await take();
  for (const start of [3, 6]) {
    rotateFiles(path, 3);
    writeFileSync(path, lines(start, start + 3));
    await take();
  }
  rmSync(path);
  ended.resolve();
  await take();
  expect(texts).toEqual(numbers(0, 9));
});

test("readLog() passes 200,000 lines", async () => {
  const path = newLog();
  writeFileSync(path, lines(0, 200_000));
  let count = 0;
  for await (const batch of readLog({ path, follow: false, stdout: true, stderr: true })) count += batch.count;
  expect(count).toBe(200_000);
});

test("readLog() holds no descriptor when it cannot be followed, and outlives the removal of the log while it is", async () => {
  const descriptors = (): number => readdirSync("/proc/self/fd").length;
  const path = newLog();
  writeFileSync(path, lines(0, 3));
  const before = descriptors();
  const following = readLog({ path, follow: true, stdout: true, stderr: true });
  // The container was removed between the call and its first batch.
  rmSync(join(path, ".."), { recursive: true });
  await expect(following.next()).rejects.toThrow("ENOENT");
  expect(descriptors()).toBeLessThanOrEqual(before + 1);
});

test("LogWatch.update() takes a log that has gone for one that does not grow", () => {
  const path = newLog();
  writeFileSync(path, lines(0, 3));
  const generations = new LogGenerations(path, "all");
  const watch = new LogWatch(path, generations, () => undefined);
  rmSync(path);
  watch.update();
  watch.close();
  generations.close();
});
