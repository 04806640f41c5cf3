import { describe, expect, test } from "bun:test";
import { readFileSync, readlinkSync } from "node:fs";
import { cleanMappings, giveBackCode, giveBackMemory } from "./give-back-memory.ts";

const mapping = (line: string, counts: Readonly<Record<string, number>> = {}): string =>
  [
    line,
    ...Object.entries({ Rss: 100, Anonymous: 0, Swap: 0, ...counts }).map(
      ([kind, kb]) => `${`${kind}:`.padEnd(16)}${kb} kB`,
    ),
    "VmFlags: rd mr mw me",
  ].join("\n");

describe("cleanMappings()", () => {
  const find = (...mappings: readonly string[]): readonly unknown[] =>
    cleanMappings(`${mappings.join("\n")}\n`, "/usr/bin/berth");

  test("finds code and constants of the program", () => {
    expect(
      find(
        mapping("00200000-01a39000 r--p 00000000 fe:00 16091227                           /usr/bin/berth"),
        mapping("01a40000-0684a000 r-xp 01838000 fe:00 16091227                           /usr/bin/berth"),
      ),
    ).toEqual([
      { start: 0x200000, end: 0x1a39000 },
      { start: 0x1a40000, end: 0x684a000 },
    ]);
  });

  test("leaves what can be written, what was written before it was made read-only, in memory or in swap, and what is not the program's", () => {
    const place = "00200000-01a39000 r--p 00000000 fe:00 16091227                           /usr/bin/berth";
    expect(
      find(
        mapping(place.replace("r--p", "rw-p")),
        mapping(place.replace("r--p", "r--s")),
        mapping(place, { Anonymous: 4 }),
        mapping(place, { Swap: 4 }),
        mapping(place.replace("/usr/bin/berth", "/usr/lib/berth")),
        mapping("7f0000000000-7f0000001000 r--p 00000000 00:00 0 "),
        "",
      ),
    ).toEqual([]);
  });
});

/** Resident pages of the program's read-only mappings, kB. */
function programPages(): number {
  const smaps = readFileSync("/proc/self/smaps", "utf8");
  const clean = new Set(cleanMappings(smaps, readlinkSync("/proc/self/exe")).map(({ start }) => start));
  return smaps
    .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
    .filter((text) => clean.has(Number.parseInt(text, 16)))
    .reduce((sum, text) => sum + Number(/^Rss: +(\d+)/m.exec(text)?.[1]), 0);
}

test("giveBackMemory() takes most pages of the program out of memory, and the program runs on", () => {
  // As much as a start may touch.
  const touched = [
    JSON.stringify({}),
    new Intl.DateTimeFormat("en").format(0),
    Bun.hash("x"),
    new URL("http://x/").href,
  ];
  const before = programPages();
  giveBackMemory();
  expect(touched).toHaveLength(4);
  expect(programPages()).toBeLessThan(before / 2);
});

test("giveBackCode() leaves a program that works", () => {
  giveBackCode();
  expect([3, 1, 2].toSorted()).toEqual([1, 2, 3]);
});
