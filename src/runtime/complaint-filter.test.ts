import { expect, test } from "bun:test";
import { text } from "node:stream/consumers";
import { ComplaintFilter } from "./complaint-filter.ts";

const COMPLAINT = 'exec failed: unable to start container process: exec: "nope": executable file not found in $PATH\n';

test("ComplaintFilter passes output on at once", () => {
  const filter = new ComplaintFilter();
  filter.write("hello");
  expect(String(filter.read())).toBe("hello");
});

test("ComplaintFilter replaces a complaint, also one behind what was typed ahead", async () => {
  const filter = new ComplaintFilter();
  filter.write("typed");
  filter.write(COMPLAINT);
  filter.decide(Buffer.from("OCI runtime exec failed\r\n"));
  expect(await text(filter)).toBe("typedOCI runtime exec failed\r\n");
});

test("ComplaintFilter asks about output that begins like a complaint, and lets it go when the program runs", async () => {
  let asked = 0;
  const filter = new ComplaintFilter(() => asked++);
  const seen: string[] = [];
  filter.on("data", (chunk) => seen.push(String(chunk)));
  filter.write('{"json":');
  await Bun.sleep(1);
  expect(seen).toEqual([]);
  filter.pass();
  filter.write("1}");
  filter.write('{"more":2}');
  await Bun.sleep(1);
  expect(seen.join("")).toBe('{"json":1}{"more":2}');
  expect(asked).toBe(1);
});

test("ComplaintFilter gives back what was held when the program ended well", async () => {
  const filter = new ComplaintFilter();
  filter.write("error: mine");
  filter.decide(undefined);
  expect(await text(filter)).toBe("error: mine");
});
