import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "#sys/command.ts";
import { KernelBuilder } from "../../tools/harness/kernel-builder.ts";

/** Real layers, mounts and containers; the base is a busybox root. */
let bench: KernelBuilder;

beforeAll(async () => {
  bench = await KernelBuilder.create();
});

afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

describe("DockerfileBuilder.build() on the kernel", () => {
  test("RUN sees what lies below, its environment, and leaves its changes", async () => {
    const image = await bench.build(
      [
        "FROM base",
        "ARG V=7",
        "ENV A=env",
        "RUN chmod 1777 /tmp",
        "WORKDIR /app",
        "COPY --chown=app a.txt .",
        "USER app",
        'RUN echo "$A $V $(id -u) $(pwd) $(hostname) $(cat a.txt) $HOME" > /tmp/out; cat /tmp/out; echo err >&2',
        "USER root",
        "RUN rm /app/a.txt && chmod 700 /app",
      ].join("\n"),
      { "a.txt": "text" },
    );
    await bench.inRoot(image, (root) => {
      expect(readFileSync(join(root, "tmp/out"), "utf8")).toBe("env 7 1000 /app buildkitsandbox text /home/app\n");
      expect(readdirSync(join(root, "app"))).toEqual([]);
      expect(lstatSync(join(root, "app")).mode & 0o777).toBe(0o700);
    });
    expect(bench.logs).toContain("env 7 1000 /app buildkitsandbox text");
    expect(bench.logs).toContain("err\n");
  });

  test("mount points that the runtime makes are no part of the layer", async () => {
    const image = await bench.build("FROM base\nRUN cat /etc/hosts /etc/resolv.conf && touch /mine\n");
    expect(bench.logs).toContain("10.1.2.3 extra");
    expect(bench.logs).toContain("nameserver 10.1.2.4");
    const names = await bench.topLayer(image);
    expect(names).toContain("mine");
    expect(names.filter((name) => /^(dev|proc|sys|etc\/(hosts|resolv.conf))/.test(name))).toEqual([]);
  });

  test("COPY changes nothing of the directories that it passes", async () => {
    const image = await bench.build("FROM base\nRUN chmod 1777 /tmp && mkdir -m 711 /tmp/d\nCOPY a /tmp/d/e/\n", {
      a: "1",
    });
    await bench.inRoot(image, (root) => {
      expect(lstatSync(join(root, "tmp")).mode & 0o7777).toBe(0o1777);
      expect(lstatSync(join(root, "tmp/d")).mode & 0o7777).toBe(0o711);
      expect(readFileSync(join(root, "tmp/d/e/a"), "utf8")).toBe("1");
      expect(readdirSync(join(root, "bin")).length).toBeGreaterThan(100);
    });
  });

  test("COPY --from takes owners, links and hard links along", async () => {
    const image = await bench.build(
      [
        "FROM base AS made",
        "RUN mkdir /out && cd /out && echo 1 > f && ln f g && ln -s f l && chown 5:6 f",
        "FROM scratch",
        "COPY --from=made /out /here",
        "COPY --from=0 /out/l /link-content",
      ].join("\n"),
    );
    await bench.inRoot(image, (root) => {
      expect(lstatSync(join(root, "here/f"))).toMatchObject({ uid: 5, gid: 6, nlink: 2 });
      expect(lstatSync(join(root, "here/f")).ino).toBe(lstatSync(join(root, "here/g")).ino);
      expect(lstatSync(join(root, "here/l")).isSymbolicLink()).toBe(true);
      expect(readFileSync(join(root, "link-content"), "utf8")).toBe("1\n");
      expect(lstatSync(join(root, "here")).mode & 0o777).toBe(0o755);
    });
  });

  test("ADD unpacks archives by content, whatever their name", async () => {
    const source = mkdtempSync(join(bench.directory, "tar-"));
    mkdirSync(join(source, "d"));
    writeFileSync(join(source, "d/x"), "in");
    await runCommand("tar", ["-czf", join(source, "t"), "-C", source, "d"]);
    const files = { "archive.txt": readFileSync(join(source, "t")), "not.tar.gz": "plain" };
    const image = await bench.build("FROM base\nADD archive.txt not.tar.gz /to/\n", files);
    await bench.inRoot(image, (root) => {
      expect(readFileSync(join(root, "to/d/x"), "utf8")).toBe("in");
      expect(readFileSync(join(root, "to/not.tar.gz"), "utf8")).toBe("plain");
    });
    expect(readdirSync(join(bench.directory, "scratch"))).toEqual([]);
  });

  test("heredocs: a script for the shell, one with its interpreter, an inline file", async () => {
    const image = await bench.build(
      "FROM base\nRUN <<EOF\necho one > /a\necho two >> /a\nEOF\nRUN <<EOF\n#!/bin/cat\nhello\nEOF\nCOPY <<F /f\ntext\nF\n",
    );
    await bench.inRoot(image, (root) => {
      expect(readFileSync(join(root, "a"), "utf8")).toBe("one\ntwo\n");
      expect(readFileSync(join(root, "f"), "utf8")).toBe("text\n");
    });
    expect(bench.logs).toContain("#!/bin/cat\nhello");
  });

  test("COPY --from of files beyond a megabyte, names that are not UTF-8 too", async () => {
    const image = await bench.build(
      "FROM base AS a\nRUN mkdir /big && head -c 3000000 /dev/zero > /big/one && head -c 2000000 /dev/zero > \"/big/$(printf '\\377')\"\nFROM scratch\nCOPY --from=a /big /\n",
    );
    await bench.inRoot(image, (root) => {
      const sizes = readdirSync(root, { encoding: "buffer" }).map(
        (name) => lstatSync(Buffer.concat([Buffer.from(`${root}/`), name])).size,
      );
      expect(sizes.toSorted()).toEqual([2_000_000, 3_000_000]);
    });
  });

  test("FROM scratch with nothing but files", async () => {
    const image = await bench.build("FROM scratch\nWORKDIR /w\nCOPY a .\n", { a: "1" });
    await bench.inRoot(image, (root) => expect(readdirSync(root)).toEqual(["w"]));
    expect(image.config?.WorkingDir).toBe("/w");
  });

  test("a failing command fails the build with its code, and nothing stays", async () => {
    const failed = await bench.build("FROM base\nRUN echo why; exit 7\n").catch((error) => error.failure);
    expect(failed).toMatchObject({ code: 7, tail: ["why"], vertexName: "[2/2] RUN echo why; exit 7" });
    const missing = await bench.build('FROM base\nRUN ["/nope"]\n').catch((error) => error.failure);
    expect(missing).toMatchObject({ code: 127 });
    expect(missing.message).toStartWith('failed to solve: process "/nope" did not complete successfully: ');
    expect(await bench.snapshotter.keys()).toEqual([]);
  });

  test("an abort ends a running command, and nothing stays", async () => {
    const controller = new AbortController();
    const running = bench
      .build("FROM base\nRUN sleep 1000\n", {}, { signal: controller.signal })
      .catch((error) => error.code);
    await new Promise((resolve) => setTimeout(resolve, 400));
    controller.abort();
    expect(await running).toBe("cancelled");
    expect(await bench.snapshotter.keys()).toEqual([]);
  });
});
