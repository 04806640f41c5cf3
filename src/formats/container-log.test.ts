import { expect, test } from "bun:test";
import fc from "fast-check";
import { ContainerLogParser, formatLogTime, type LogBatch, parseLogTime, STDERR, STDOUT } from "./container-log.ts";
import { LogEncoder } from "./container-log-encode.ts";

const TIME = "2026-01-31T12:00:00.123456789+00:00";

interface Piece {
  readonly stream: 1 | 2;
  readonly text: string;
}

function parseAll(bytes: Buffer, step: number): { readonly pieces: Piece[]; readonly parser: ContainerLogParser } {
  const parser = new ContainerLogParser();
  const pieces: Piece[] = [];
  for (let at = 0; at < bytes.length; at += step) {
    const batch = parser.push(Buffer.from(bytes.subarray(at, at + step)));
    pieces.push(...piecesOf(batch));
  }
  return { pieces, parser };
}

function piecesOf(batch: LogBatch): Piece[] {
  return Array.from({ length: batch.count }, (_, index) => ({
    stream: batch.stream(index),
    text: batch.text(index).toString("latin1"),
  }));
}

const line = fc.record({
  stream: fc.constantFrom<1 | 2>(STDOUT, STDERR),
  isFull: fc.boolean(),
  text: fc.string({ unit: "binary-ascii" }).map((text) => text.replaceAll("\n", "")),
});

test("ContainerLogParser gives the pieces that conmon wrote, however the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(line), fc.integer({ min: 1, max: 200 }), (lines, step) => {
      const file = lines
        .map(
          ({ stream, isFull, text }) => `${TIME} ${stream === 1 ? "stdout" : "stderr"} ${isFull ? "F" : "P"} ${text}\n`,
        )
        .join("");
      const { pieces, parser } = parseAll(Buffer.from(file, "latin1"), step);
      expect(pieces).toEqual(lines.map(({ stream, isFull, text }) => ({ stream, text: isFull ? `${text}\n` : text })));
      expect(parser.malformed).toBe(0);
    }),
  );
});

test("ContainerLogParser leaves out and counts lines that are torn", () => {
  const { pieces, parser } = parseAll(Buffer.from(`torn line\n${TIME} stdout F ok\n2026 stdout F x\n\n`), 1000);
  expect(pieces).toEqual([{ stream: STDOUT, text: "ok\n" }]);
  expect(parser.malformed).toBe(3);
});

test("LogBatch.timestamp() is Docker's: UTC with nine digits, also for another zone or a shorter fraction", () => {
  const parser = new ContainerLogParser();
  const batch = parser.push(
    Buffer.from(`${TIME} stdout F a\n2026-01-31T13:00:00.5+01:00 stdout F b\n2026-01-31T12:00:00Z stderr F c\n`),
  );
  expect([0, 1, 2].map((index) => batch.timestamp(index))).toEqual([
    "2026-01-31T12:00:00.123456789Z",
    "2026-01-31T12:00:00.500000000Z",
    "2026-01-31T12:00:00.000000000Z",
  ]);
});

test("formatLogTime() and parseLogTime() are inverse", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n }), (time) => {
      expect(parseLogTime(formatLogTime(time))).toBe(time);
    }),
  );
});

test("LogBatch.onlyStream() and slice() keep order and content", () => {
  const batch = new ContainerLogParser().push(
    Buffer.from(`${TIME} stdout F a\n${TIME} stderr F b\n${TIME} stdout P c\n`),
  );
  expect(piecesOf(batch.onlyStream(STDOUT)).map((piece) => piece.text)).toEqual(["a\n", "c"]);
  expect(piecesOf(batch.slice(1)).map((piece) => piece.text)).toEqual(["b\n", "c"]);
});

test("LogEncoder makes one frame a piece, or plain bytes", () => {
  const batch = new ContainerLogParser().push(Buffer.from(`${TIME} stdout P $ \n${TIME} stderr F no\n`));
  expect(new LogEncoder({ framed: true, timestamps: false }).encode(batch).toString("latin1")).toBe(
    "\x01\0\0\0\0\0\0\x02$ \x02\0\0\0\0\0\0\x03no\n",
  );
  expect(new LogEncoder({ framed: false, timestamps: false }).encode(batch).toString()).toBe("$ no\n");
});

test("LogEncoder puts the time before lines, not before the parts of one, also across batches", () => {
  const parser = new ContainerLogParser();
  const encoder = new LogEncoder({ framed: false, timestamps: true });
  const first = encoder.encode(parser.push(Buffer.from(`${TIME} stdout P a\n${TIME} stderr F e\n`))).toString();
  const second = encoder.encode(parser.push(Buffer.from(`${TIME} stdout F b\n${TIME} stdout F c\n`))).toString();
  const time = "2026-01-31T12:00:00.123456789Z";
  expect([first, second]).toEqual([`${time} a${time} e\n`, `b\n${time} c\n`]);
});
