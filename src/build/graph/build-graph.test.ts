import { describe, expect, test } from "bun:test";
import { digestOf } from "#formats/digest.ts";
import type { ContainerDefaults } from "#spec/oci-image.ts";
import { parseDockerfile } from "../instructions/parse-dockerfile.ts";
import { buildGraph, type GraphOptions } from "./build-graph.ts";
import type { RunStep, StageGraph } from "./graph-types.ts";

function graph(text: string, more: Partial<GraphOptions> = {}, config: ContainerDefaults = {}): Promise<StageGraph> {
  return buildGraph(parseDockerfile(new TextEncoder().encode(text)), {
    buildArgs: {},
    target: "",
    networkMode: "default",
    buildPlatform: { os: "linux", architecture: "amd64" },
    targetPlatform: { os: "linux", architecture: "arm", variant: "v7" },
    resolveImage: async () => ({
      id: digestOf("base"),
      config: { architecture: "arm", os: "linux", config, rootfs: { type: "layers", diff_ids: [] } },
      layers: [],
    }),
    stop: new AbortController(),
    ...more,
  });
}

/** The environment of the last RUN without PATH. */
async function environment(text: string, more: Partial<GraphOptions> = {}): Promise<readonly string[]> {
  const { steps } = await graph(text, more);
  const run = steps.at(-1) as RunStep;
  return run.env.filter((variable) => !variable.startsWith("PATH="));
}

describe("buildGraph() gives variables their scopes", () => {
  test("a global ARG reaches FROM, and a stage only when it is declared there", async () => {
    const file = "ARG TAG=1\nARG NAME=app-$TAG\nFROM x:$TAG AS s\nARG NAME\nRUN a\n";
    expect(await environment(file)).toEqual(["NAME=app-1"]);
    expect((await graph(file)).base).toMatchObject({ reference: "docker.io/library/x:1" });
    expect(await environment(file, { buildArgs: { TAG: "2" } })).toEqual(["NAME=app-2"]);
  });

  test("--build-arg beats the default, ENV below beats ARG, unset ARGs are not there", async () => {
    const file = "FROM x\nARG A=1\nARG B\nARG C=c\nENV C=env-$C\nRUN a\n";
    expect(await environment(file)).toEqual(["A=1", "C=env-c"]);
    expect(await environment(file, { buildArgs: { A: "2", B: "", Z: "9" } })).toEqual(["A=2", "B=", "C=env-c"]);
  });

  test("words of one instruction see the values from before it", async () => {
    expect(await environment("FROM x\nENV a=1\nENV a=2 b=$a\nRUN a\n")).toEqual(["a=2", "b=1"]);
  });

  test("platform arguments are there to be declared", async () => {
    const file = "FROM x\nARG TARGETPLATFORM\nARG TARGETARCH\nARG BUILDPLATFORM\nARG TARGETSTAGE\nRUN a\n";
    expect(await environment(file)).toEqual([
      "TARGETPLATFORM=linux/arm/v7",
      "TARGETARCH=arm",
      "BUILDPLATFORM=linux/amd64",
      "TARGETSTAGE=default",
    ]);
  });

  test("a stage on a stage goes on with its variables and its ARGs", async () => {
    const target = await graph("FROM x AS a\nARG V=1\nENV E=$V\nFROM a\nRUN echo $V\n");
    expect((target.steps[0] as RunStep).env).toContain("V=1");
    expect(target.image.history.at(-1)?.created_by).toBe("RUN |1 V=1 /bin/sh -c echo $V # buildkit");
  });
});

describe("buildGraph() settles the image", () => {
  test("ENTRYPOINT forgets an inherited CMD, not one of its own stage", async () => {
    const inherited = { Cmd: ["sh"] };
    expect((await graph('FROM x\nENTRYPOINT ["e"]\n', {}, inherited)).image.config.Cmd).toBeUndefined();
    expect((await graph('FROM x\nCMD ["c"]\nENTRYPOINT ["e"]\n', {}, inherited)).image.config.Cmd).toEqual(["c"]);
  });

  test("SHELL wraps what comes behind it", async () => {
    const { image, steps } = await graph('FROM x\nSHELL ["/bin/bash", "-c"]\nRUN a b\nCMD c d\n');
    expect((steps[0] as RunStep).args).toEqual(["/bin/bash", "-c", "a b"]);
    expect(image.config.Cmd).toEqual(["/bin/bash", "-c", "c d"]);
  });

  test("WORKDIR joins, USER and WORKDIR reach RUN", async () => {
    const { steps } = await graph("FROM x\nWORKDIR /a\nWORKDIR b/../c\nUSER u:g\nRUN x\n", {}, { WorkingDir: "/w" });
    expect(steps.at(-1)).toMatchObject({ cwd: "/a/c", user: "u:g" });
  });

  test("history in BuildKit's words", async () => {
    const file =
      "FROM x\nVOLUME /d /e\nSTOPSIGNAL 9\nMAINTAINER me\nHEALTHCHECK --interval=5s CMD true\nEXPOSE 80 81/udp\nLABEL a=b c=d\nUSER u\n";
    const { history } = (await graph(file)).image;
    expect(history.map((entry) => entry.created_by)).toEqual([
      "VOLUME [/d /e]",
      "STOPSIGNAL 9",
      "MAINTAINER me",
      "HEALTHCHECK {Test:[CMD-SHELL true] Interval:5s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}",
      "EXPOSE [80/tcp 81/udp]",
      "LABEL a=b c=d",
      "USER u",
    ]);
    expect(history.every((entry) => entry.empty_layer)).toBe(true);
  });
});

describe("buildGraph() finds stages", () => {
  const FILE = "FROM x AS one\nRUN 1\nFROM x\nRUN 2\nFROM one AS three\nCOPY --from=busybox /bin/sh /\n";

  test("by target name in any case, the last by default, and by nothing else", async () => {
    const targets = await Promise.all(["ONE", ""].map((target) => graph(FILE, { target })));
    expect(targets.map(({ index }) => index)).toEqual([0, 2]);
    await expect(graph(FILE, { target: "1" })).rejects.toThrow('target stage "1" could not be found');
  });

  test("asks only for images that the target needs", async () => {
    const asked: string[] = [];
    const resolveImage: GraphOptions["resolveImage"] = (stage) => {
      asked.push(stage.reference);
      return Promise.reject(new Error("stop"));
    };
    await graph(FILE, { target: "three", resolveImage }).catch(() => undefined);
    expect(asked).toEqual(["docker.io/library/x:latest", "docker.io/library/busybox:latest"]);
  });

  test("pads the step numbers and fills variables in", async () => {
    const lines = Array.from({ length: 9 }, () => "RUN echo $A $SHELL_ONLY '$A'");
    const { base, steps } = await graph(`FROM x\nENV A=1\n${lines.join("\n")}\ncopy $A "b" /\n`);
    expect(base).toMatchObject({ name: "[ 1/11] FROM docker.io/library/x:latest" });
    expect(steps[0]?.name).toBe("[ 2/11] RUN echo 1 $SHELL_ONLY '$A'");
    expect(steps.at(-1)?.name).toBe("[11/11] COPY 1 b /");
  });

  test("refuses to copy from a stage behind", async () => {
    await expect(graph("FROM x AS one\nCOPY --from=1 /a /\nFROM x AS later\n", { target: "one" })).rejects.toThrow(
      'cannot copy from stage "1", it needs to be defined before current stage "one"',
    );
  });

  test("errors carry the lines of their instruction", async () => {
    await expect(graph("FROM x\n\nCOPY --chmod=99999 a /\n")).rejects.toMatchObject({
      message: "invalid chmod parameter: '99999'. it should be octal string and between 0 and 07777",
      place: { source: { startLine: 3, endLine: 3 } },
    });
  });
});

test("buildGraph() gives a cache without an id the clean target as one", async () => {
  const { steps } = await graph(
    "FROM busybox\nRUN --mount=type=cache,target=/root/.cache/ --mount=type=cache,target=/root//.cache true\n",
  );
  const ids = (steps[0] as RunStep).mounts.map((mount) => "id" in mount && mount.id);
  expect(ids).toEqual(["//root/.cache", "//root/.cache"]);
});

test("buildGraph() takes any number but 0 for a signal, and no name that is none", async () => {
  const { image } = await graph("FROM busybox\nSTOPSIGNAL 99\n");
  expect(image.config.StopSignal).toBe("99");
  for (const signal of ["0", "SIGNOPE"]) {
    await expect(graph(`FROM busybox\nSTOPSIGNAL ${signal}\n`)).rejects.toThrow(`invalid signal: ${signal}`);
  }
});
