import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContextStore } from "#build/context/context-store.ts";
import { IgnoreMatcher } from "#formats/dockerignore.ts";
import type { Engine, EngineRequest, EngineResponse, RequestBody } from "../engine.ts";
import { prepareContext } from "./prepare.ts";
import { withRecentContents } from "./recent-contents.ts";
import { readContents } from "./send.ts";
import { readStdinContext } from "./stdin-context.ts";
import { offerBody, transferContext } from "./transfer.ts";
import { walkContext } from "./walk.ts";

let root: string;
let source: string;
let store: ContextStore;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "berth-transfer-"));
  source = join(root, "source");
  mkdirSync(join(source, "sub"), { recursive: true });
  writeFileSync(join(source, "Dockerfile"), "FROM scratch\n");
  writeFileSync(join(source, "sub", "big"), "x".repeat(3_000_000));
  writeFileSync(join(source, "sub", "empty"), "");
  store = new ContextStore({ boot: "1", directory: join(root, "store") });
});

afterEach(() => {
  store.close();
  rmSync(root, { recursive: true, force: true });
});

async function* bytesOf(body: Exclude<RequestBody, { readonly json: unknown }>): AsyncGenerator<Uint8Array> {
  if ("whole" in body) yield body.whole;
  else yield* body.bytes;
}

/** An engine that has contexts and nothing else. */
function contextEngine(onReceive: () => void = () => {}): Engine {
  const answer = (value: unknown): EngineResponse => ({
    status: 200,
    headers: {},
    body: (async function* () {
      yield Buffer.from(JSON.stringify(value));
    })(),
  });
  return {
    endpoint: undefined as never,
    upgrade: () => Promise.reject(new Error("not here")),
    send: async ({ method, path, body }: EngineRequest) => {
      if (!body || "json" in body) throw new Error("no body");
      if (method === "POST" && path === "/berth/contexts") return answer(await store.offer(bytesOf(body)));
      onReceive();
      await store.receive(path.split("/").at(-1) ?? "", bytesOf(body));
      return answer({});
    },
  };
}

describe("transferContext()", () => {
  test("sends a directory once, then nothing", async () => {
    const prepared = prepareContext({ directory: source, dockerfile: undefined });
    const first = await transferContext(contextEngine(), prepared);
    expect(first.bytes).toBe(3_000_013);
    await using context = store.open(first.id);
    const big = context.files.entries.find((entry) => entry.path === "sub/big");
    expect(Buffer.from(context.files.read(big!)).toString()).toBe("x".repeat(3_000_000));
    let streamed = 0;
    for await (const chunk of context.files.stream(big!)) streamed += chunk.length;
    expect(streamed).toBe(3_000_000);
    const buffer = Buffer.alloc(700_000);
    for await (const chunk of context.files.stream(big!, buffer)) {
      expect(chunk.buffer).toBe(buffer.buffer);
      expect(Buffer.from(chunk).every((byte) => byte === 0x78)).toBe(true);
      streamed += chunk.fill(0).length;
    }
    expect(streamed).toBe(6_000_000);
    await Bun.sleep(50);
    await transferContext(contextEngine(), prepareContext({ directory: source, dockerfile: undefined }));
    const second = await transferContext(contextEngine(), prepareContext({ directory: source, dockerfile: undefined }));
    expect(second.bytes).toBe(0);
  });

  test("a build after a change asks nothing: small files that changed lately go along", async () => {
    rmSync(join(source, "sub", "big"));
    const noRequest = contextEngine(() => expect.unreachable());
    for (const content of ["first", "second"]) {
      writeFileSync(join(source, "sub", "small"), content);
      const prepared = prepareContext({ directory: source, dockerfile: undefined });
      const { id } = await transferContext(noRequest, prepared);
      await using context = store.open(id);
      const file = context.files.entries.find((entry) => entry.path === "sub/small");
      expect(Buffer.from(context.files.read(file!)).toString()).toBe(content);
      expect(context.files.entries.map(({ path }) => path)).toEqual(["Dockerfile", "sub", "sub/empty", "sub/small"]);
    }
  });

  test("contents go along neither of many files nor of old ones, nor of one that changes meanwhile", () => {
    const contents = (now: number = Date.now()): readonly unknown[] =>
      withRecentContents(source, { ...walkContext(source, new IgnoreMatcher([])), began: now })
        .filter(({ t }) => t === "f")
        .map(({ c }) => c);
    expect(contents()).toEqual([undefined, undefined, undefined]);
    rmSync(join(source, "sub", "big"));
    expect(contents()).toEqual([Buffer.from("FROM scratch\n").toString("base64"), ""]);
    expect(contents(Date.now() + 3_600_000)).toEqual([undefined, undefined]);
    const walk = walkContext(source, new IgnoreMatcher([]));
    appendFileSync(join(source, "Dockerfile"), "#");
    expect(withRecentContents(source, walk).map(({ c }) => c)).toEqual([undefined, undefined, ""]);
  });

  test("offers what fits into a piece as a whole, more as a stream", () => {
    const { entries, ...rest } = prepareContext({ directory: source, dockerfile: undefined });
    const few = offerBody({ ...rest, entries });
    expect("whole" in few && Buffer.from(few.whole).toString().split("\n")).toHaveLength(entries.length + 2);
    const [entry] = entries;
    expect(offerBody({ ...rest, entries: Array.from({ length: 10_000 }, () => entry!) })).toHaveProperty("bytes");
  });

  test("fails and names the file when one changes while it is sent", async () => {
    const prepared = prepareContext({ directory: source, dockerfile: undefined });
    const engine = contextEngine(() => truncateSync(join(source, "sub", "big"), 5));
    await expect(transferContext(engine, prepared)).rejects.toThrow(
      "cannot send build context: sub/big: shrank while it was read; build again",
    );
  });
});

describe("readContents()", () => {
  test("sends just the promised bytes of files that grew, shrank, vanished or became links", async () => {
    for (const name of ["grown", "shrunk", "gone", "linked"]) writeFileSync(join(source, name), "12345");
    const { entries } = prepareContext({ directory: source, dockerfile: undefined });
    const files = entries.filter((entry) => entry.t === "f" && !entry.p.includes("/") && entry.p !== "Dockerfile");
    appendFileSync(join(source, "grown"), "6789");
    truncateSync(join(source, "shrunk"), 2);
    rmSync(join(source, "gone"));
    rmSync(join(source, "linked"));
    symlinkSync("/etc/passwd", join(source, "linked"));
    const changed: string[] = [];
    const chunks: Uint8Array[] = [];
    for await (const chunk of readContents(source, files, (path) => changed.push(path))) chunks.push(chunk);
    expect(files.map((file) => file.p)).toEqual(["gone", "grown", "linked", "shrunk"]);
    expect(Buffer.concat(chunks).toString()).toBe(`${"\0".repeat(5)}12345${"\0".repeat(5)}12\0\0\0`);
    expect(changed).toEqual(["gone", "grown", "linked", "shrunk"]);
  });
});

describe("prepareContext()", () => {
  const headerText = (dockerfile: string | Uint8Array | undefined): string =>
    Buffer.from(prepareContext({ directory: source, dockerfile }).header.dockerfile ?? "", "base64").toString();

  test("takes the named Dockerfile, also from elsewhere, and the one from stdin", () => {
    writeFileSync(join(root, "Other"), "FROM other");
    expect(headerText(undefined)).toBe("FROM scratch\n");
    expect(headerText(join(root, "Other"))).toBe("FROM other");
    expect(headerText(Buffer.from("FROM stdin"))).toBe("FROM stdin");
    expect(prepareContext({ directory: source, dockerfile: join(root, "Other") }).dockerfileName).toBe("Other");
  });

  test("falls back to a lower-case dockerfile, and says what it did not find", () => {
    rmSync(join(source, "Dockerfile"));
    expect(() => headerText(undefined)).toThrow(
      "failed to read dockerfile: open Dockerfile: no such file or directory",
    );
    writeFileSync(join(source, "dockerfile"), "FROM lower");
    expect(headerText(undefined)).toBe("FROM lower");
  });

  test("<Dockerfile>.dockerignore beats .dockerignore, and an ignored Dockerfile still goes along", () => {
    writeFileSync(join(source, ".dockerignore"), "sub\nDockerfile\n.dockerignore\n");
    const paths = (): readonly string[] =>
      prepareContext({ directory: source, dockerfile: undefined }).entries.map((entry) => entry.p);
    expect(paths()).toEqual([]);
    expect(headerText(undefined)).toBe("FROM scratch\n");
    writeFileSync(join(source, "Dockerfile.dockerignore"), "*\n!sub/empty\n");
    expect(paths()).toEqual(["sub", "sub/empty"]);
  });

  test("refuses a malformed pattern", () => {
    writeFileSync(join(source, ".dockerignore"), "a[");
    expect(() => headerText(undefined)).toThrow("failed to read .dockerignore: invalid pattern");
  });
});

describe("readStdinContext()", () => {
  async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }

  test.each([1, 7, 100_000])(
    "tells a Dockerfile from archives in pieces of %d bytes",
    async (size) => {
      const dockerfile = Buffer.from(`FROM scratch\n${"RUN x\n".repeat(100)}`);
      expect(await readStdinContext(pieces(dockerfile, size))).toEqual({ kind: "dockerfile", bytes: dockerfile });
      const tar = Bun.spawnSync(["tar", "-C", source, "-cf", "-", "."]).stdout;
      for (const archive of [tar, Bun.gzipSync(new Uint8Array(tar.subarray(0, 20_480)))]) {
        const found = await readStdinContext(pieces(archive, size));
        if (found.kind !== "archive") throw new Error("taken for a Dockerfile");
        const chunks: Uint8Array[] = [];
        for await (const chunk of found.bytes) chunks.push(chunk);
        expect(Buffer.concat(chunks).equals(Buffer.from(archive))).toBe(true);
        if (size === 1) break;
      }
    },
    30_000,
  );

  test("refuses an empty stdin", async () => {
    await expect(readStdinContext(pieces(new Uint8Array(), 1))).rejects.toThrow("empty");
  });
});
