import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { KernelBuilder } from "../../tools/harness/kernel-builder.ts";

let bench: KernelBuilder;

beforeAll(async () => {
  bench = await KernelBuilder.create();
});

afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

describe("SOURCE_DATE_EPOCH", () => {
  const FILE = "FROM base\nWORKDIR /w\nCOPY a b/\nENV X=1\n";

  test("gives image, history and copied files its time, and is part of their key", async () => {
    const image = await bench.build(FILE, { a: "1" }, { buildArgs: { SOURCE_DATE_EPOCH: "1000000000" } });
    expect(image.created).toBe("2001-09-09T01:46:40Z");
    expect(image.history?.slice(1).map(({ created }) => created)).toEqual(Array(3).fill("2001-09-09T01:46:40Z"));
    expect(image.history?.[0]?.created).toBe("2024-01-01T00:00:00Z");
    await bench.inRoot(image, (root) => {
      for (const path of ["w", "w/b", "w/b/a"])
        expect([path, lstatSync(join(root, path)).mtimeMs / 1000]).toEqual([path, 1_000_000_000]);
    });
    await bench.build(FILE, { a: "1" }, { buildArgs: { SOURCE_DATE_EPOCH: "1000000001" } });
    expect(bench.cached.filter((name) => name.includes("COPY"))).toEqual([]);
  });

  test("can be the default of a global ARG, or name what has a time", async () => {
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Response("x", { headers: { "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT" } }),
    });
    const remote = `FROM scratch AS src\nADD http://127.0.0.1:${server.port}/x /x\n`;
    const byDefault = await bench.build(`ARG SOURCE_DATE_EPOCH=5\n${FILE}`, { a: "1" });
    expect(byDefault.created).toBe("1970-01-01T00:00:05Z");
    const byStage = await bench.build(remote + FILE, { a: "1" }, { buildArgs: { SOURCE_DATE_EPOCH: "src" } });
    expect(byStage.created).toBe("2015-10-21T07:28:00Z");
    const byContext = await bench.build(
      FILE,
      { a: "1" },
      {
        buildArgs: { SOURCE_DATE_EPOCH: "there" },
        contexts: { there: { kind: "url", url: `http://127.0.0.1:${server.port}/y` } },
      },
    );
    expect(byContext.created).toBe("2015-10-21T07:28:00Z");
    await expect(bench.build(FILE, { a: "1" }, { buildArgs: { SOURCE_DATE_EPOCH: "nope" } })).rejects.toThrow(
      "invalid SOURCE_DATE_EPOCH: nope",
    );
  });
});

describe("directives", () => {
  const warnings: string[] = [];
  const build = (dockerfile: string, buildArgs = {}): ReturnType<KernelBuilder["build"]> => {
    warnings.length = 0;
    return bench.build(
      dockerfile,
      {},
      {
        buildArgs,
        onStatus: (status) => {
          for (const { short } of status.warnings ?? []) warnings.push(Buffer.from(short, "base64").toString());
        },
      },
    );
  };

  test("# syntax of docker's own frontends is what Berth reads; others are named and not run", async () => {
    await build("# syntax=docker/dockerfile:1\nFROM scratch\n");
    expect(warnings).toEqual([]);
    await build(
      // A first line for a shell is read past in search of the frontend alone: `# escape` is a comment behind it, as in BuildKit.
      "#!/usr/bin/env berth\n# syntax = registry.example/my/frontend:2\n# escape=`\nFROM scratch\nLABEL a=1 \\\n  b=2\n",
    );
    expect(warnings).toEqual([
      "the frontend registry.example/my/frontend:2 is not run: Berth reads the Dockerfile itself, as docker/dockerfile does",
    ]);
    await build("FROM scratch\n", { BUILDKIT_SYNTAX: "other/frontend" });
    expect(warnings[0]).toContain("other/frontend");
  });

  test("# check is read; what it cannot say is refused", async () => {
    await build("# check=skip=JSONArgsRecommended,StageNameCasing;error=true\nFROM scratch\n");
    await expect(build("# check=skip\nFROM scratch\n")).rejects.toThrow('invalid check option "skip"');
    await expect(build("# check=error=maybe\nFROM scratch\n")).rejects.toThrow("failed to parse check option");
  });
});

test("BUILDKIT_SANDBOX_HOSTNAME, BUILDKIT_CACHE_MOUNT_NS", async () => {
  await bench.build("FROM base\nRUN hostname\n", {}, { buildArgs: { BUILDKIT_SANDBOX_HOSTNAME: "other" } });
  expect(bench.logs).toBe("other\n");
  const cache = "FROM base\nRUN --mount=type=cache,id=n,target=/c echo x >> /c/f; wc -l < /c/f; echo ";
  await bench.build(`${cache}1\n`, {}, { buildArgs: { BUILDKIT_CACHE_MOUNT_NS: "one" } });
  await bench.build(`${cache}2\n`, {}, { buildArgs: { BUILDKIT_CACHE_MOUNT_NS: "two" } });
  expect(bench.logs).toContain("1\n2\n");
  expect(
    bench.cacheMountRows
      .list()
      .map(({ id }) => id)
      .toSorted(),
  ).toEqual(["one/n", "two/n"]);
});

test("variables: every modifier, scopes and predefined proxies", async () => {
  const image = await bench.build(
    [
      "ARG BASE=base",
      "ARG GLOBAL=g",
      "FROM $" + "{BASE:-none} AS one",
      "ARG GLOBAL",
      "ARG P=/a/b/c.tar.gz",
      "ENV A=$" +
        "{P#*/} B=$" +
        "{P##*/} C=$" +
        "{P%.*} D=$" +
        "{P%%.*} E=$" +
        "{P/a/x} F=$" +
        "{P//a/x} G=$" +
        "{NONE:-$GLOBAL} H=$" +
        "{P:+set} I=$" +
        "{NONE-w}",
      "RUN echo $A $B $C $D $E $F $G $H $I $HTTP_PROXY $http_proxy > /v",
      "FROM one",
      'RUN echo "$GLOBAL $P" >> /v; cat /v',
    ].join("\n"),
    {},
    { buildArgs: { HTTP_PROXY: "http://proxy:1" } },
  );
  const text = await bench.inRoot(image, (root) => readFileSync(join(root, "v"), "utf8"));
  expect(text).toBe(
    "a/b/c.tar.gz c.tar.gz /a/b/c.tar /a/b/c /x/b/c.tar.gz /x/b/c.txr.gz g set w http://proxy:1 http://proxy:1\ng /a/b/c.tar.gz\n",
  );
  expect(JSON.stringify(image)).not.toContain("http://proxy");
  await expect(bench.build('FROM base\nENV X="$' + '{NEED:?tell me}"\n')).rejects.toThrow("NEED: tell me");
});

test("stages that need nothing of one another run at the same time", async () => {
  const wait = (own: string, other: string): string =>
    `RUN --mount=type=cache,id=meet,target=/m touch /m/${own}; for i in $(seq 200); do test -e /m/${other} && exit 0; sleep 0.05; done; exit 1`;
  await bench.build(
    [
      "FROM base AS a",
      wait("a", "b"),
      "FROM base AS b",
      wait("b", "a"),
      "FROM base AS unused",
      "RUN exit 1",
      "FROM base",
      "COPY --from=a /etc /a",
      "COPY --from=b /etc /b",
    ].join("\n"),
  );
  expect(bench.names.some((name) => name.includes("unused"))).toBe(false);
});

test("HEALTHCHECK with all options, ONBUILD with --from, STOPSIGNAL, SHELL", async () => {
  const image = await bench.build(
    'FROM base\nHEALTHCHECK --interval=5s --timeout=2s --start-period=1m --start-interval=100ms --retries=4 CMD true\nSTOPSIGNAL SIGQUIT\nSHELL ["/bin/sh", "-ec"]\nRUN false; true || echo no\nCMD x\n'.replace(
      "RUN false; true || echo no\n",
      "RUN true\n",
    ),
  );
  expect(image.config).toMatchObject({
    Healthcheck: {
      Test: ["CMD-SHELL", "true"],
      Interval: 5e9,
      Timeout: 2e9,
      StartPeriod: 6e10,
      StartInterval: 1e8,
      Retries: 4,
    },
    StopSignal: "SIGQUIT",
    Shell: ["/bin/sh", "-ec"],
    Cmd: ["/bin/sh", "-ec", "x"],
  });
  await bench.build(
    "FROM base AS trigger\nONBUILD COPY --from=base /etc /copied\nONBUILD RUN echo triggered\nFROM trigger\nRUN ls -d /copied\n",
  );
  expect(bench.logs).toContain("triggered");
  expect(bench.names).toContainEqual(expect.stringContaining("ONBUILD RUN echo triggered"));
});

test("a RUN for a platform without an emulator says so; files of any platform are copied", async () => {
  const image = await bench.build("FROM --platform=linux/s390x scratch\nCOPY a /a\n", { a: "1" });
  expect(image).toMatchObject({ architecture: "s390x", os: "linux" });
  await expect(
    bench.build("FROM --platform=$TARGETPLATFORM scratch\nRUN true\n", {}, { platforms: ["linux/s390x"] }),
  ).rejects.toThrow("cannot run commands for linux/s390x on this machine");
  await expect(bench.build("FROM --platform=linux/none/x/y scratch\nCOPY a /\n", { a: "1" })).rejects.toThrow(
    "failed to parse platform",
  );
});
