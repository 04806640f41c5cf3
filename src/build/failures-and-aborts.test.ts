import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { DataLossError } from "#errors/errors.ts";
import { runCommand } from "#sys/command.ts";
import type { ContextFiles } from "./build-client.ts";
import { openedContext } from "./build-client.ts";
import { aborted, BuilderTestBed } from "./builder-test-bed.ts";
import { contextOf } from "./builder-test-files.ts";

const BUSYBOX = "docker.io/library/busybox:latest";
let bed: BuilderTestBed;

beforeEach(async () => {
  bed = new BuilderTestBed((tar, directory) => runCommand("tar", ["-xf", tar, "-C", directory]));
  await bed.addImage(BUSYBOX, { "etc/passwd": "" });
});
afterEach(() => bed.dispose());

function inputOf(dockerfile: string, context: ContextFiles) {
  return { input: { kind: "files" as const, dockerfile: Buffer.from(dockerfile), context } };
}

describe("The first failure of a build", () => {
  const text = "FROM busybox AS a\nRUN exit 3\nFROM busybox AS b\nCOPY big /\nCOPY --from=a /made /\n";

  test("ends a transfer that another stage waits for", async () => {
    const endless: ContextFiles = { open: (_, signal) => aborted(signal) };
    await expect(bed.build("", {}, inputOf(text, endless))).rejects.toThrow("exit code: 3");
  });

  test("ends the pull of another image", async () => {
    bed.endless.add("docker.io/library/huge:latest");
    const build = bed.build("FROM huge AS a\nFROM missing\nCOPY --from=a /x /\n");
    await expect(build).rejects.toThrow("docker.io/library/missing:latest: not found");
  });

  test("ends the pull for another platform", async () => {
    bed.endless.add("docker.io/library/huge:latest");
    const file = "ARG TARGETARCH\nFROM huge AS amd64\nFROM missing AS arm64\nFROM $TARGETARCH\n";
    const build = bed.build(file, {}, { platforms: ["linux/amd64", "linux/arm64"] });
    await expect(build).rejects.toThrow("docker.io/library/missing:latest: not found");
  });

  test("is told of the step that failed, not of those that only read from it", async () => {
    const build = bed.build("FROM busybox AS a\nRUN exit 3\nFROM busybox\nCOPY --from=a /made /\nRUN after\n");
    await expect(build).rejects.toThrow("exit code: 3");
    expect(Object.keys(bed.errors)).toEqual(["[a 2/2] RUN exit 3"]);
  });
});

test("A build that joined a step of one that ended meanwhile carries it out with its own files", async () => {
  const dockerfile = "FROM busybox\nCOPY big /\n";
  // Large enough to be streamed.
  const files = { big: "0123456789".repeat(200_000) };
  const [reading, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const fleeting = {
    ...contextOf(files),
    stream: async function* stream(): AsyncGenerator<Uint8Array, void, void> {
      reading.resolve();
      yield Buffer.alloc(1);
      await closed.promise;
      throw new DataLossError("the context is closed");
    },
  };
  const controller = new AbortController();
  const first = bed.build("", {}, { ...inputOf(dockerfile, openedContext(fleeting)), signal: controller.signal });
  await reading.promise;
  const second = bed.build(dockerfile, files);
  await Bun.sleep(20);
  controller.abort();
  await expect(first).rejects.toMatchObject({ code: "cancelled" });
  closed.resolve();
  expect((await second).rootfs.diff_ids).toHaveLength(2);
});
