import { describe, expect, test } from "bun:test";
import type { SolveStatus, Vertex } from "#spec/solve-status.ts";
import type { Output } from "../streams.ts";
import { createProgress, type ProgressOptions } from "./progress.ts";

const EPOCH = Date.parse("2026-01-01T00:00:00Z");

/** RFC 3339 time, `seconds` after the start. */
function at(seconds: number): string {
  return new Date(EPOCH + seconds * 1000).toISOString();
}

function vertex(
  digest: string,
  name: string,
  started?: number,
  completed?: number,
  more: Partial<Vertex> = {},
): SolveStatus {
  return {
    vertexes: [
      {
        digest,
        name,
        ...(started === undefined ? {} : { started: at(started) }),
        ...(completed === undefined ? {} : { completed: at(completed) }),
        ...more,
      },
    ],
  };
}

function log(digest: string, seconds: number, text: string): SolveStatus {
  return { logs: [{ vertex: digest, stream: 1, data: Buffer.from(text).toString("base64"), timestamp: at(seconds) }] };
}

class Sink implements Output {
  text = "";
  readonly isTerminal: boolean;

  constructor(isTerminal = false) {
    this.isTerminal = isTerminal;
  }

  async write(data: string | Uint8Array): Promise<void> {
    this.text += typeof data === "string" ? data : Buffer.from(data).toString();
  }
}

/** What a display writes for updates that come at these seconds. */
async function show(
  mode: string,
  updates: readonly (readonly [number, SolveStatus])[],
  options: ProgressOptions = {},
  isTerminal = false,
): Promise<string> {
  const sink = new Sink(isTerminal);
  let now = EPOCH;
  const progress = createProgress(mode, sink, { now: () => now, ...options });
  for (const [seconds, update] of updates) {
    now = EPOCH + seconds * 1000;
    await progress.update(update);
  }
  await progress.finish();
  return sink.text + progress.remarks();
}

const BUILD: readonly (readonly [number, SolveStatus])[] = [
  [0, vertex("d1", "[internal] load build definition from Dockerfile", 0)],
  [
    0,
    {
      statuses: [
        {
          id: "transferring dockerfile:",
          vertex: "d1",
          current: 177,
          timestamp: at(0),
          started: at(0),
          completed: at(0),
        },
      ],
    },
  ],
  [0.01, vertex("d1", "[internal] load build definition from Dockerfile", 0, 0.01)],
  [
    0.02,
    {
      vertexes: [
        { digest: "d2", name: "[1/3] FROM docker.io/library/busybox" },
        { digest: "d3", name: "[2/3] WORKDIR /app" },
      ],
    },
  ],
  [0.02, vertex("d2", "[1/3] FROM docker.io/library/busybox", 0.02, 0.02, { cached: true })],
  [0.03, vertex("d3", "[2/3] WORKDIR /app", 0.03)],
  [0.13, vertex("d3", "[2/3] WORKDIR /app", 0.03, 0.13)],
  [0.14, vertex("d4", "[3/3] RUN make", 0.14)],
  [0.208, log("d4", 0.208, "uid=0(root)\nhal")],
  [0.3, log("d4", 0.3, "f a line\n")],
  [0.34, vertex("d4", "[3/3] RUN make", 0.14, 0.34)],
];

describe("createProgress(plain)", () => {
  test("prints a block per step, as BuildKit does", async () => {
    expect(await show("plain", BUILD)).toBe(`#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 177B done
#1 DONE 0.0s

#2 [1/3] FROM docker.io/library/busybox
#2 CACHED

#3 [2/3] WORKDIR /app
#3 DONE 0.1s

#4 [3/3] RUN make
#4 0.068 uid=0(root)
#4 0.068 half a line
#4 DONE 0.2s
`);
  });

  test("announced steps that never start are not shown", async () => {
    expect(await show("plain", [[0, vertex("a", "[1/2] RUN never")]])).toBe("");
  });

  test("a failed step, a canceled one, and a line that has no end", async () => {
    const text = await show("plain", [
      [0, vertex("a", "[a 1/1] RUN false", 0)],
      [0, vertex("b", "[b 1/1] RUN sleep", 0)],
      [0.5, log("a", 0.5, "no end")],
      [1, vertex("a", "[a 1/1] RUN false", 0, 1, { error: "exit code: 1" })],
      [1, vertex("b", "[b 1/1] RUN sleep", 0, 1.2, { error: "context canceled" })],
    ]);
    expect(text).toBe(`#1 [a 1/1] RUN false
#1 0.500 no end
#1 ERROR: exit code: 1

#2 [b 1/1] RUN sleep
#2 CANCELED
`);
  });

  test("a step that waited for ten seconds takes the front, and the other is marked", async () => {
    const text = await show("plain", [
      [0, vertex("a", "RUN a", 0)],
      [0, vertex("b", "RUN b", 0)],
      [1, log("b", 1, "b1\n")],
      [2, log("a", 2, "a1\n")],
      [12, log("a", 12, "a2\n")],
      [13, vertex("a", "RUN a", 0, 13)],
      [14, vertex("b", "RUN b", 0, 14)],
    ]);
    expect(text).toBe(`#1 RUN a
#1 2.000 a1
#1 12.00 a2
#1 ...

#2 RUN b
#2 1.000 b1
#2 ...

#1 RUN a
#1 DONE 13.0s

#2 RUN b
#2 DONE 14.0s
`);
  });

  test("counters are printed again only after five percent or five seconds", async () => {
    const status = (current: number, seconds: number, completed?: number): SolveStatus => ({
      statuses: [
        {
          id: "sha256:abc",
          vertex: "a",
          current,
          total: 3_400_000,
          timestamp: at(seconds),
          started: at(0),
          ...(completed === undefined ? {} : { completed: at(completed) }),
        },
      ],
    });
    const text = await show("plain", [
      [0, vertex("a", "FROM x", 0)],
      [0.1, status(0, 0.1)],
      [0.2, status(100_000, 0.2)],
      [0.3, status(1_980_000, 0.3)],
      [6, status(2_000_000, 6)],
      [6.5, status(3_400_000, 6.5, 6.5)],
      [7, vertex("a", "FROM x", 0, 7)],
    ]);
    expect(text).toBe(`#1 FROM x
#1 sha256:abc 0B / 3.40MB 0.1s
#1 sha256:abc 1.98MB / 3.40MB 0.3s
#1 sha256:abc 2.00MB / 3.40MB 6.0s
#1 sha256:abc 3.40MB / 3.40MB 6.5s done
#1 DONE 7.0s
`);
  });

  test("warnings stand in their block and below it all", async () => {
    const text = await show("plain", [
      [0, vertex("a", "load", 0)],
      [0, { warnings: [{ vertex: "a", level: 1, short: Buffer.from("Empty continuation line").toString("base64") }] }],
      [0, vertex("a", "load", 0, 0)],
    ]);
    expect(text).toBe(`#1 load
#1 WARN: Empty continuation line
#1 DONE 0.0s

 1 warning found (use docker --debug to expand):
 - Empty continuation line
`);
  });

  test("a character that two log chunks share is whole", async () => {
    const bytes = Buffer.from("é\n");
    const part = (piece: Buffer): SolveStatus => ({
      logs: [{ vertex: "a", stream: 1, data: piece.toString("base64"), timestamp: at(0) }],
    });
    const text = await show("plain", [
      [0, vertex("a", "RUN a", 0)],
      [0, part(bytes.subarray(0, 1))],
      [0, part(bytes.subarray(1))],
      [1, vertex("a", "RUN a", 0, 1)],
    ]);
    expect(text).toContain("#1 0.000 é\n");
  });
});

describe("createProgress(rawjson), (quiet)", () => {
  test("rawjson passes updates on, a line each", async () => {
    const text = await show("rawjson", BUILD);
    expect(
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(BUILD.map(([, update]) => update));
  });

  test("quiet writes nothing", async () => {
    expect(await show("quiet", BUILD)).toBe("");
  });

  test("an unknown mode, and tty without a terminal, are refused", () => {
    expect(() => createProgress("fancy", new Sink())).toThrow("invalid progress mode fancy");
    expect(() => createProgress("tty", new Sink())).toThrow("failed to get console");
  });
});

describe("createProgress(tty)", () => {
  const size = (): { columns: number; rows: number } => ({ columns: 60, rows: 24 });

  test("the last picture has all rows, and FINISHED", async () => {
    const text = await show("auto", BUILD, { size, environment: { NO_COLOR: "1" }, description: "berth" }, true);
    const lines = text.replaceAll(/\x1b\[[?0-9]*[a-zA-Z]/g, "").replaceAll("\r", "");
    expect(lines).toBe(
      [
        "[+] Building 0.3s (4/4) FINISHED                      berth",
        " => [internal] load build definition from Dockerfile    0.0s",
        " => => transferring dockerfile: 177B                    0.0s",
        " => CACHED [1/3] FROM docker.io/library/busybox         0.0s",
        " => [2/3] WORKDIR /app                                  0.1s",
        " => [3/3] RUN make                                      0.2s",
        "",
      ].join("\n"),
    );
  });

  test("completed rows are blue, the cursor is shown again at the end", async () => {
    const text = await show("tty", BUILD, { size }, true);
    expect(text).toContain("\x1b[34m => [3/3] RUN make");
    expect(text.lastIndexOf("\x1b[?25h")).toBeGreaterThan(text.lastIndexOf("\x1b[?25l"));
  });

  test("nothing is drawn for a build that never began", async () => {
    expect(await show("tty", [], { size }, true)).toBe("");
  });

  test("redraws while a step runs, over its last picture", async () => {
    const sink = new Sink(true);
    const progress = createProgress("tty", sink, { size });
    const started = new Date().toISOString();
    await progress.update({ vertexes: [{ digest: "a", name: "[1/1] RUN sleep", started }] });
    const redraws = (): number => sink.text.match(/\x1b\[2A/g)?.length ?? 0;
    while (redraws() < 2) await Bun.sleep(10);
    await progress.finish();
    // Each with the time that has passed.
    const times = [...sink.text.matchAll(/RUN sleep +(\d+\.\d)s/g)].map(([, time]) => Number(time));
    expect(times.length).toBeGreaterThanOrEqual(3);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBeGreaterThan(times[0] ?? 0);
  });
});
