import { expect, test } from "bun:test";
import { statusMessage } from "./status-message.ts";

test("statusMessage() lets a step that begins say why it runs, once", () => {
  const digest = `sha256:${"ab".repeat(32)}`;
  const vertex = { digest, name: "[2/2] RUN x", started: "2026-01-01T00:00:00Z", reasons: ["ARG V 1 → 2"] };
  const lines = (status: Parameters<typeof statusMessage>[0]): string[] =>
    statusMessage(status).logs.map(({ msg }) => Buffer.from(msg).toString("utf8"));
  expect(lines({ vertexes: [vertex] })).toEqual(["why: ARG V 1 → 2\n"]);
  expect(lines({ vertexes: [{ ...vertex, completed: "2026-01-01T00:00:01Z" }] })).toEqual([]);
});
