import { expect, test } from "bun:test";
import fc from "fast-check";
import { closestWord, editDistance, suggestion } from "./closest-word.ts";

test("closestWord() finds a word two edits away and none that is three away", () => {
  expect(closestWord("RUNN", ["RUN", "CMD"])).toBe("RUN");
  expect(closestWord("FORM", ["FROM", "RUN"])).toBe("FROM");
  expect(closestWord("HEALTH", ["HEALTHCHECK"])).toBeUndefined();
});

test("closestWord() suggests nothing for a word that is right", () => {
  expect(closestWord("RUN", ["RUN", "RUM"])).toBeUndefined();
});

test("suggestion() is empty when nothing is near", () => {
  expect(suggestion("chwon", ["chown", "chmod"])).toBe(" (did you mean chown?)");
  expect(suggestion("zzzzzz", ["chown"])).toBe("");
});

test("editDistance() is a metric", () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      expect(editDistance(a, a)).toBe(0);
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
    }),
  );
});
