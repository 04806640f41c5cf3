import { describe, expect, test } from "bun:test";
import { COMMANDS } from "../commands.ts";
import { type Group, isGroup, type Leaf, resolveCommand } from "./command-tree.ts";

describe("resolveCommand()", () => {
  const spellings: readonly (readonly [string, string])[] = [
    ["ps", "berth ps"],
    ["container ls", "berth container ls"],
    ["container list", "berth container ls"],
    ["container ps", "berth container ls"],
    ["image rm", "berth image rm"],
    ["image remove", "berth image rm"],
    ["rmi", "berth rmi"],
    ["images", "berth images"],
    ["system df", "berth system df"],
    ["builder build", "berth builder build"],
  ];
  for (const [words, path] of spellings) {
    test(`finds "${words}"`, () =>
      expect(resolveCommand(COMMANDS, words.split(" "))).toMatchObject({ kind: "command", path }));
  }

  test("gives the rest of the words", () => {
    expect(resolveCommand(COMMANDS, ["run", "-it", "x"])).toMatchObject({ rest: ["-it", "x"] });
  });

  test("offers names that are close to an unknown one", () => {
    expect(resolveCommand(COMMANDS, ["imagse"])).toMatchObject({ kind: "unknown", similar: ["images", "image"] });
    expect(resolveCommand(COMMANDS, ["image", "lss"])).toMatchObject({ kind: "unknown", similar: ["ls"] });
    expect(resolveCommand(COMMANDS, ["foo"])).toMatchObject({ kind: "unknown", similar: [] });
  });
});

describe("resolveCommand() below a command that does something itself", () => {
  test("a word that names a command there is one, all others are arguments", () => {
    expect(resolveCommand(COMMANDS, ["build", "history", "ls", "-q"])).toMatchObject({
      kind: "command",
      path: "berth build history ls",
      rest: ["-q"],
    });
    expect(resolveCommand(COMMANDS, ["buildx", "history"])).toMatchObject({ kind: "group" });
    expect(resolveCommand(COMMANDS, ["build", "./history"])).toMatchObject({
      path: "berth build",
      rest: ["./history"],
    });
    expect(resolveCommand(COMMANDS, ["build", "-t", "x", "history"])).toMatchObject({ path: "berth build" });
  });
});

describe("COMMANDS", () => {
  const leavesOf = (entry: Leaf | Group): readonly Leaf[] =>
    isGroup(entry) ? entry.commands.flatMap(leavesOf) : [entry, ...(entry.below ?? []).flatMap(leavesOf)];
  const leaves = COMMANDS.sections.flatMap(({ entries }) => entries.flatMap(leavesOf));

  test("loads every command, and the list says what its help says", async () => {
    expect(leaves.length).toBeGreaterThan(60);
    for (const leaf of leaves) {
      const command = await leaf.load();
      expect(command.about.split(/[.\n]/)[0]).toStartWith(leaf.about.split(".")[0] ?? "");
    }
  });
});
