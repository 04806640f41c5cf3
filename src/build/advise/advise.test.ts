import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import { parseDockerfile } from "../instructions/parse-dockerfile.ts";
import { contextSizes } from "./context-sizes.ts";
import { layerFindings } from "./layer-findings.ts";
import { mergedEnvironments } from "./merge-env.ts";
import { type ContextRoot, installSplits } from "./split-install.ts";
import { applyEdits, type LineEdit, unifiedDiff } from "./unified-diff.ts";

const root = (files: Record<string, string>): ContextRoot => ({
  text: (name) => files[name],
  has: (name) => name in files,
});

function rewritten(text: string, edits: readonly LineEdit[]): string {
  return applyEdits(text.split("\n"), edits).join("\n");
}

const parse = (text: string): ReturnType<typeof parseDockerfile> => parseDockerfile(Buffer.from(text));

describe("installSplits()", () => {
  const NODE = "FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci --omit=dev\nCMD node .";
  const files = { "package.json": '{"scripts":{"test":"x"}}', "package-lock.json": "{}" };
  const split = (text: string, context: Record<string, string> = files): string => {
    return rewritten(
      text,
      installSplits(parse(text), root(context)).flatMap(({ edits }) => edits),
    );
  };

  test("copies the manifests and installs before the sources", () => {
    expect(split(NODE)).toBe(
      "FROM node\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci --omit=dev\nCOPY . .\nCMD node .",
    );
    const python = "FROM python\nWORKDIR /a\nCOPY --chown=1 . /a/\nRUN pip install \\\n  -r requirements.txt";
    expect(split(python, { "requirements.txt": "flask==3" })).toBe(
      "FROM python\nWORKDIR /a\nCOPY --chown=1 requirements.txt ./\nRUN pip install \\\n  -r requirements.txt\nCOPY --chown=1 . /a/",
    );
  });

  test("leaves alone what it cannot prove", () => {
    for (const [text, context] of [
      [NODE, {}],
      [NODE, { ...files, node_modules: "" }],
      [NODE, { "package.json": '{"scripts":{"postinstall":"node build"}}' }],
      [NODE, { "package.json": '{"dependencies":{"a":"file:./a"}}' }],
      [NODE.replace("npm ci --omit=dev", "npm ci && npm run build"), files],
      [NODE.replace("COPY . .", "COPY . /other"), files],
      [NODE.replace("WORKDIR /app\n", ""), files],
      [NODE.replace("COPY . .", "COPY --from=x . ."), files],
      [NODE.replace("COPY . .", "COPY . .\nRUN ./configure"), files],
      ["FROM p\nWORKDIR /a\nCOPY . .\nRUN pip install -r requirements.txt", { "requirements.txt": "-e .\n" }],
      ["FROM g\nWORKDIR /a\nCOPY . .\nRUN go mod download", { "go.mod": "replace a => ./a\n" }],
    ] as const) {
      expect(split(text, context)).toBe(text);
    }
  });
});

describe("mergedEnvironments()", () => {
  const merge = (text: string): string => rewritten(text, mergedEnvironments(parse(text)));

  test("puts neighbours together", () => {
    expect(merge("FROM a\nENV A=1\nENV B=2 C=3\nRUN x")).toBe("FROM a\nENV A=1 \\\n    B=2 C=3\nRUN x");
  });

  test("not where one uses or replaces what another sets, nor across lines of other kinds", () => {
    for (const text of [
      "FROM a\nENV A=1\nENV B=$A",
      "FROM a\nENV A=1\nENV A=2",
      "FROM a\nENV A=1\n# why\nENV B=2",
      "FROM a\nENV A 1\nENV B=2",
      "FROM a\nENV A=1\nRUN x\nENV B=2",
    ])
      expect(merge(text)).toBe(text);
  });
});

describe("unifiedDiff()", () => {
  test("is what diff -u prints", () => {
    const lines = ["1", "2", "3", "4", "5", "6", "7", "8"];
    const edits = [
      { start: 5, end: 4, lines: ["new"] },
      { start: 6, end: 6, lines: [] },
    ];
    expect(unifiedDiff("Dockerfile", lines, edits)).toBe(
      "--- Dockerfile\n+++ Dockerfile\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n+new\n 5\n-6\n 7\n 8\n",
    );
  });

  test("its lines lead from the old file to the new one", () => {
    const edit = fc.record({
      at: fc.nat(30),
      removed: fc.nat(2),
      added: fc.array(fc.constantFrom("x", "y"), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (wanted) => {
        const lines = Array.from({ length: 30 }, (_, index) => String(index));
        let next = 1;
        const edits = wanted
          .toSorted((a, b) => a.at - b.at)
          .flatMap(({ at, removed, added }) => {
            const start = Math.max(next, at + 1);
            const end = Math.min(30, start + removed - 1);
            if (start > 30) return [];
            next = end + 2;
            return [{ start, end, lines: added }];
          });
        const body = unifiedDiff("f", lines, edits).split("\n").slice(2, -1);
        const kept = body.filter((line) => !line.startsWith("@@"));
        const after = applyEdits(lines, edits);
        const isPart = (whole: readonly string[], part: readonly string[]): boolean =>
          whole.join().includes(part.join());
        if (body.filter((line) => line.startsWith("@@")).length !== 1) return;
        expect(
          isPart(
            lines,
            kept.filter((line) => !line.startsWith("+")).map((line) => line.slice(1)),
          ),
        ).toBe(true);
        expect(
          isPart(
            after,
            kept.filter((line) => !line.startsWith("-")).map((line) => line.slice(1)),
          ),
        ).toBe(true);
      }),
    );
  });
});

describe("layerFindings()", () => {
  const layer = (step: string, files: Record<string, number>): { step: string; read(): AsyncIterable<Uint8Array> } => ({
    step,
    read: async function* () {
      for (const [path, size] of Object.entries(files)) {
        const mtime = { seconds: 0, nanoseconds: 0 };
        yield tarHeader({ path, type: "file", mode: 0o644, uid: 0, gid: 0, mtime, size });
        yield new Uint8Array(size);
        yield tarPadding(size);
      }
      yield TAR_END;
    },
  });

  test("names bytes that a later layer only hides, and caches", async () => {
    const found = await layerFindings([
      layer("one", { "src/a": 10, "src/b": 5, "var/lib/apt/lists/x": 7 }),
      layer("two", { ".wh.src": 0, "root/.npm/_cacache/y": 3 }),
    ]);
    expect(found.map(({ step, kind, size }) => [step, kind, size])).toEqual([
      ["one", "cache", 7],
      ["two", "deletes", 15],
      ["two", "cache", 3],
    ]);
    expect(found[1]?.text).toContain("deletes /src that one added");
  });
});

describe("contextSizes()", () => {
  test("sums by directory and offers ignore lines for what no COPY names", () => {
    const entry = (path: string, size: number) =>
      ({ path, type: "file", mode: 0, size, mtime: 0, linkname: "" }) as const;
    const entries = [
      entry(".git/x", 50),
      entry("node_modules/a/b", 90),
      entry("app/__pycache__/c", 5),
      entry("app/m.py", 1),
    ];
    const sizes = contextSizes({ entries }, parse("FROM a\nCOPY node_modules /n\nCOPY . ."));
    expect(sizes.size).toBe(146);
    expect(sizes.largest.slice(0, 3).map(({ path }) => path)).toEqual(["node_modules/", "node_modules/a/", ".git/"]);
    expect(sizes.ignore).toEqual([
      { line: ".git", size: 50 },
      { line: "**/__pycache__", size: 5 },
    ]);
  });
});
