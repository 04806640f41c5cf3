import { expect, test } from "bun:test";
import type { JsonMessage } from "#spec/docker-messages.ts";
import type { Vertex } from "#spec/solve-status.ts";
import {
  LegacyBuildStream,
  legacyFailure,
  legacyHeader,
  legacySuccess,
  legacyWarnings,
} from "./legacy-build-stream.ts";

const COPY = `sha256:${"ab".repeat(32)}` as const;
const RUN = `sha256:${"cd".repeat(32)}` as const;
const PLAN = [
  { text: "FROM busybox", image: `sha256:${"ef".repeat(32)}` as const },
  { text: "ENV A=b" },
  { text: "COPY a b", vertex: COPY },
  { text: "RUN make", vertex: RUN },
  { text: 'CMD ["b"]' },
];
const AT = "2025-01-01T00:00:00Z";

const text = (messages: readonly JsonMessage[]): string => messages.map(({ stream }) => stream).join("");
const vertex = (digest: string, state: Partial<Vertex>): { vertexes: Vertex[] } => ({
  vertexes: [{ digest, name: "", started: AT, ...state }],
});
const log = (digest: string, line: string, stream: 1 | 2 = 1) => ({
  logs: [{ vertex: digest, stream, data: Buffer.from(line).toString("base64"), timestamp: AT }],
});

test("LegacyBuildStream shows instructions in their order, what was cached, and the ids of layers", () => {
  const stream = new LegacyBuildStream();
  expect(stream.update(vertex(`sha256:${"0".repeat(64)}`, { completed: AT }))).toEqual([]);
  expect(text(stream.begin(PLAN))).toBe("Step 1/5 : FROM busybox\n ---> efefefefefef\nStep 2/5 : ENV A=b\n");
  expect(text(stream.update(vertex(COPY, { completed: AT, cached: true })))).toBe(
    " ---> Using cache\nStep 3/5 : COPY a b\n ---> Using cache\n ---> abababababab\nStep 4/5 : RUN make\n",
  );
  expect(text(stream.update(log(RUN, "hé\n")))).toBe("hé\n");
  expect(text(stream.update(log(RUN, "oh\n", 2)))).toBe("\u001b[91moh\n\u001b[0m");
  expect(text(stream.update(vertex(RUN, { completed: AT })))).toBe(' ---> cdcdcdcdcdcd\nStep 5/5 : CMD ["b"]\n');
  expect(stream.update(vertex(RUN, { completed: AT }))).toEqual([]);
});

test("LegacyBuildStream keeps what a later step prints until its turn, and does not go on behind a failed one", () => {
  const stream = new LegacyBuildStream();
  stream.begin(PLAN);
  expect(stream.update(log(RUN, "early\n"))).toEqual([]);
  expect(stream.update(vertex(RUN, { completed: AT }))).toEqual([]);
  expect(text(stream.update(vertex(COPY, { completed: AT })))).toBe(
    'Step 3/5 : COPY a b\n ---> abababababab\nStep 4/5 : RUN make\nearly\n ---> cdcdcdcdcdcd\nStep 5/5 : CMD ["b"]\n',
  );
  const failing = new LegacyBuildStream();
  failing.begin(PLAN);
  expect(text(failing.update(vertex(COPY, { completed: AT, error: "no" })))).toBe("Step 3/5 : COPY a b\n");
});

test("LegacyBuildStream says of the last step once that it has ended", () => {
  const stream = new LegacyBuildStream();
  stream.begin(PLAN.slice(0, 3));
  expect(text(stream.update(vertex(COPY, { completed: AT })))).toBe("Step 3/3 : COPY a b\n ---> abababababab\n");
  expect(stream.update(vertex(RUN, { completed: AT }))).toEqual([]);
});

test("legacyWarnings() names build arguments that nothing takes, as the classic builder", () => {
  expect(legacyWarnings([])).toEqual([]);
  expect(text(legacyWarnings(["A", "B"]))).toBe(
    "\u001b[91m[Warning] One or more build-args [A B] were not consumed\n\u001b[0m",
  );
});

test("legacySuccess() ends as scripts expect", () => {
  expect(legacySuccess(COPY, ["app:latest"])).toEqual([
    { aux: { ID: COPY } },
    { stream: "Successfully built abababababab\n" },
    { stream: "Successfully tagged app:latest\n" },
  ]);
});

test("legacyFailure() says it in the classic builder's words, without an aux that would hide it", () => {
  const message =
    'failed to solve: process "/bin/sh -c echo \\"x\\"; exit 7" did not complete successfully: exit code: 7';
  const text = `The command '/bin/sh -c echo "x"; exit 7' returned a non-zero code: 7`;
  expect(legacyFailure({ message, code: 7, tail: ["x"] })).toEqual({
    errorDetail: { code: 7, message: text },
    error: text,
  });
  expect(legacyFailure({ message: "failed to solve: no space" }).error).toBe("no space");
  const quoted = String.raw`failed to solve: process "a\tb\\n\x01\u00e9" did not complete successfully: `;
  expect(legacyFailure({ message: `${quoted}exit code: 1` }).error).toBe(
    "The command 'a\tb\\n\x01é' returned a non-zero code: 1",
  );
  expect(legacyFailure({ message: `${quoted}unable to find user x` }).error).toBe("unable to find user x");
  const missing =
    'failed to solve: failed to compute cache key: failed to calculate checksum of ref a::b: "/x y": not found';
  expect(legacyFailure({ message: missing }).error).toBe(
    "COPY failed: file not found in build context or excluded by .dockerignore: stat x y: file does not exist",
  );
});

test("legacyHeader() names the instruction whose image could not be had, and legacyFailure() says it as the registry did", () => {
  const message =
    "failed to solve: nope: failed to resolve source metadata for docker.io/library/nope:latest: pull access denied";
  const failure = { message, step: { text: "FROM nope", number: 1, count: 2 } };
  expect(text(legacyHeader(failure))).toBe("Step 1/2 : FROM nope\n");
  expect(legacyFailure(failure).error).toBe("pull access denied");
  expect(legacyHeader({ message })).toEqual([]);
});
