import { expect, test } from "bun:test";
import { fromBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { StatusResponseSchema } from "#proto/control_pb.ts";
import { statusBytes, statusMessage } from "./status-message.ts";

test("statusMessage() lets a step that begins say why it runs, once", () => {
  const digest = `sha256:${"ab".repeat(32)}`;
  const vertex = { digest, name: "[2/2] RUN x", started: "2026-01-01T00:00:00Z", reasons: ["ARG V 1 → 2"] };
  const lines = (status: Parameters<typeof statusMessage>[0]): string[] =>
    statusMessage(status).logs.map(({ msg }) => Buffer.from(msg).toString("utf8"));
  expect(lines({ vertexes: [vertex] })).toEqual(["why: ARG V 1 → 2\n"]);
  expect(lines({ vertexes: [{ ...vertex, completed: "2026-01-01T00:00:01Z" }] })).toEqual([]);
});

test("statusBytes() writes BuildKit's message with its field numbers", () => {
  const time = "2026-01-02T03:04:05.678Z";
  const bytes = statusBytes({
    vertexes: [{ digest: "sha256:a", name: "[1/2] FROM x", started: time, cached: true }],
    statuses: [{ id: "extracting", vertex: "sha256:a", current: 5, total: 10, timestamp: time }],
    logs: [{ vertex: "sha256:a", stream: 2, data: Buffer.from("out\n").toString("base64"), timestamp: time }],
    warnings: [{ vertex: "sha256:a", level: 1, short: Buffer.from("careful").toString("base64") }],
  });
  const read = fromBinary(StatusResponseSchema, bytes);
  expect(read.vertexes[0]).toMatchObject({ digest: "sha256:a", name: "[1/2] FROM x", cached: true });
  expect(read.vertexes[0]?.started && timestampMs(read.vertexes[0].started)).toBe(Date.parse(time));
  expect(read.vertexes[0]?.completed).toBeUndefined();
  expect(read.statuses[0]).toMatchObject({ id: "extracting", current: 5n, total: 10n });
  expect(Buffer.from(read.logs[0]?.msg ?? []).toString()).toBe("out\n");
  expect(Buffer.from(read.warnings[0]?.short ?? []).toString()).toBe("careful");
  // A log is field 3 of the response; within it vertex 1, timestamp 2, stream 3, msg 4.
  const log = statusBytes({ logs: [{ vertex: "v", stream: 1, data: "eA==", timestamp: "1970-01-01T00:00:01Z" }] });
  expect(Buffer.from(log).toString("hex")).toBe("1a0c0a017612020801180122 0178".replaceAll(" ", ""));
});
