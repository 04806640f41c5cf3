import { expect, test } from "bun:test";
import { LogValve } from "./log-valve.ts";

test("LogValve.pass() leaves output out while the client is behind, says so afterwards, and lets all else pass", () => {
  let behind = false;
  const valve = new LogValve(() => behind);
  const log = (text: string): { vertex: string; stream: 1; data: string; timestamp: string } => ({
    vertex: "v",
    stream: 1,
    data: Buffer.from(text).toString("base64"),
    timestamp: "t",
  });
  const texts = (text: string): string[] =>
    (valve.pass({ logs: [log(text)] }).logs ?? []).map(({ data }) => Buffer.from(data, "base64").toString());
  expect(texts("a")).toEqual(["a"]);
  behind = true;
  expect(texts("b")).toEqual([]);
  expect(valve.pass({ vertexes: [{ digest: "v", name: "n" }], logs: [log("c")] })).toEqual({
    vertexes: [{ digest: "v", name: "n" }],
  });
  behind = false;
  expect(texts("d")).toEqual([expect.stringContaining("output clipped"), "d"]);
  expect(texts("e")).toEqual(["e"]);
});
