import { describe, expect, test } from "bun:test";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { openedContext } from "#build/build-client.ts";
import { emptyContext } from "#build/context/open-context.ts";
import { digestOf } from "#formats/digest.ts";
import { DefinitionSchema, OpSchema } from "#proto/ops_pb.ts";
import { definitionDockerfile } from "./definition-dockerfile.ts";
import { definitionGraph } from "./definition-graph.ts";
import { resultDefinition } from "./result-definition.ts";

type OpInit = MessageInitShape<typeof OpSchema>;

const sources = {
  directory: () => openedContext(emptyContext(new Uint8Array()).files),
  layout: () => ({ kind: "image" as const, id: digestOf("layout") }),
};

/** Marshals operations one after another; each takes the digests of those before it. The last one's first output is the result. */
function define(...operations: readonly ((digests: readonly string[]) => OpInit)[]): Uint8Array[] {
  const digests: string[] = [];
  const bytes = operations.map((operation) => {
    const marshalled = toBinary(OpSchema, create(OpSchema, operation(digests)));
    digests.push(digestOf(marshalled));
    return marshalled;
  });
  return [...bytes, toBinary(OpSchema, create(OpSchema, { inputs: [{ digest: digests.at(-1) ?? "" }] }))];
}

const text = (def: Uint8Array[]): string =>
  definitionDockerfile(definitionGraph(create(DefinitionSchema, { def })), sources).text;
const source =
  (identifier: string, attrs: Record<string, string> = {}) =>
  (): OpInit => ({
    op: { case: "source", value: { identifier, attrs } },
  });

describe("definitionDockerfile()", () => {
  test("makes a stage of each operation", () => {
    const def = define(
      source("docker-image://busybox"),
      source("git://example.org/a.git#main:sub", {
        "git.fullurl": "https://example.org/a.git",
        "git.keepgitdir": "true",
      }),
      source("https://example.org/x/y.tgz", { "http.checksum": `sha256:${"0".repeat(64)}`, "http.filename": "it's" }),
      ([image = "", git = ""]) => ({
        inputs: [{ digest: image }, { digest: git }],
        op: {
          case: "exec",
          value: {
            meta: { args: ["sh", "-c", "echo $A"], env: ["A=it's $5"], cwd: "/w", user: "1000" },
            mounts: [
              { input: 0n, dest: "/", output: 0n },
              { input: 1n, dest: "/src", output: -1n, readonly: true },
              { input: -1n, dest: "/c", output: -1n, mountType: 3, cacheOpt: { id: "c", sharing: 2 } },
            ],
            network: 2,
          },
        },
      }),
      ([, , http = "", exec = ""]) => ({
        inputs: [{ digest: exec }, { digest: http }],
        op: {
          case: "file",
          value: {
            actions: [
              {
                input: 0n,
                secondaryInput: 1n,
                output: -1n,
                action: { case: "copy", value: { src: "/it's", dest: "/out/", mode: -1, attemptUnpack: true } },
              },
              {
                input: 2n,
                output: 0n,
                action: { case: "mkdir", value: { path: "/a b", mode: 0o755, makeParents: true } },
              },
            ],
          },
        },
      }),
    );
    expect(text(def).split("\n")).toEqual([
      "FROM docker.io/library/busybox:latest AS llb0",
      "FROM scratch AS llb1",
      `ADD --keep-git-dir=true ["'https://example.org/a.git#main:sub'","'/'"]`,
      "FROM scratch AS llb2",
      `ADD --checksum=sha256:${"0".repeat(64)} ["'https://example.org/x/y.tgz'","'/it'\\"'\\"'s'"]`,
      "FROM llb0 AS llb3",
      `ENV A='it'"'"'s $5'`,
      "WORKDIR '/w'",
      "USER '1000'",
      'RUN --mount=type=bind,from=llb1,source=/,target=/src --mount=type=cache,id=c,target=/c,sharing=locked --network=none ["sh","-c","echo $A"]',
      "FROM llb3 AS llb4",
      `ADD --checksum=sha256:${"0".repeat(64)} --unpack=true ["'https://example.org/x/y.tgz'","'/out/'"]`,
      "FROM llb4 AS llb5",
      "WORKDIR '/a b'",
      "FROM llb5 AS llb6",
      "",
    ]);
  });

  test("takes results of other solves by their id", () => {
    const { def = [] } = resultDefinition(digestOf("image"));
    const made = definitionDockerfile(definitionGraph(create(DefinitionSchema, { def })), sources);
    expect(made.contexts).toEqual({ "llb-context0": { kind: "image", id: digestOf("image") } });
    expect(made.text).toBe("FROM llb-context0 AS llb1\nFROM llb1 AS llb2\n");
  });

  test("refuses by name what a Dockerfile has no word for", () => {
    const file = (action: NonNullable<MessageInitShape<typeof OpSchema>["op"]>) => (): OpInit => ({ op: action });
    const cases: readonly (readonly [Uint8Array[], string])[] = [
      [define(source("ipfs://x")), 'LLB source "ipfs://x" is not supported'],
      [define(source("git://example.org/a")), "must end in .git"],
      [define(file({ case: "build", value: {} })), "build is not supported"],
      [
        define(
          file({
            case: "file",
            value: {
              actions: [{ input: -1n, action: { case: "mkdir", value: { path: "/a\nRUN x", mode: 0o755 } } }],
            },
          }),
        ),
        "line ends",
      ],
      [define(() => ({})), "unknown kind"],
      [[new Uint8Array([255])], "invalid LLB definition"],
      [[], "must name the result"],
      [define(() => ({ inputs: [{ digest: "sha256:none" }] })), "not before it"],
    ];
    for (const [def, message] of cases) expect(() => text(def)).toThrow(message);
  });
});
