import { expect, test } from "bun:test";
import type { Vertex } from "#spec/solve-status.ts";
import { LegacyBuildStream, legacySuccess } from "./legacy-build-stream.ts";

const ID = `sha256:${"ab".repeat(32)}`;

function text(stream: LegacyBuildStream, vertexes: readonly Vertex[]): string {
  return stream
    .update({ vertexes })
    .map((message) => message.stream)
    .join("");
}

test("LegacyBuildStream announces a step once, says when it was cached, and gives its id at the end", () => {
  const stream = new LegacyBuildStream();
  const step = { digest: ID, name: "[build 2/3] RUN make", inputs: [], started: "2025-01-01T00:00:00Z" };
  expect(text(stream, [{ ...step, cached: true }])).toBe("Step 2/3 : RUN make\n ---> Using cache\n");
  expect(text(stream, [step])).toBe("");
  expect(text(stream, [{ ...step, completed: "2025-01-01T00:00:01Z" }])).toBe(" ---> abababababab\n");
  expect(text(stream, [{ ...step, completed: "2025-01-01T00:00:01Z" }])).toBe("");
});

test("LegacyBuildStream shows output, and nothing of internal vertexes", () => {
  const stream = new LegacyBuildStream();
  expect(
    stream.update({
      vertexes: [{ digest: ID, name: "[internal] load build context", inputs: [], started: "2025-01-01T00:00:00Z" }],
      logs: [
        { vertex: ID, stream: 1, data: Buffer.from("hé\n").toString("base64"), timestamp: "2025-01-01T00:00:00Z" },
      ],
    }),
  ).toEqual([{ stream: "hé\n" }]);
});

test("legacySuccess() ends as scripts expect", () => {
  expect(legacySuccess(ID, ["app:latest"])).toEqual([
    { aux: { ID } },
    { stream: "Successfully built abababababab\n" },
    { stream: "Successfully tagged app:latest\n" },
  ]);
});
