import { describe, expect, test } from "bun:test";
import { COMMANDS } from "../commands.ts";
import { isGroup, resolveCommand } from "./command-tree.ts";

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

describe("COMMANDS", () => {
  const leaves = COMMANDS.sections
    .flatMap(({ entries }) => entries)
    .flatMap((entry) => (isGroup(entry) ? entry.commands : [entry]));

  test("loads every command, and the list says what its help says", async () => {
    expect(leaves.length).toBeGreaterThan(60);
    for (const leaf of leaves) {
      const command = await leaf.load();
      expect(command.about.split(/[.\n]/)[0]).toStartWith(leaf.about.split(".")[0] ?? "");
    }
  });
});
