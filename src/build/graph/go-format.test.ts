import { expect, test } from "bun:test";
import { goList, goQuote, goQuoteAll } from "./go-format.ts";

test("goQuote() escapes as %q", () => {
  expect(goQuote('a "b" \\ \n\t\x00\x7f é\u00a0')).toBe('"a \\"b\\" \\\\ \\n\\t\\x00\\x7f é\\u00a0"');
  expect(goQuoteAll(["node", "app.js"])).toBe('["node" "app.js"]');
  expect(goList(["80/tcp", "81/udp"])).toBe("[80/tcp 81/udp]");
});
