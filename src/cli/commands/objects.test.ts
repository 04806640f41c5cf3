import { describe, expect, test } from "bun:test";
import { EngineError } from "#client/engine-error.ts";
import { fakeContext, jsonLines } from "../testing/fake-context.ts";
import { runWords } from "../testing/run-words.ts";

describe("berth inspect", () => {
  const routes = {
    "GET /containers/web/json": () => ({
      Id: "1",
      State: { Status: "running" },
      Config: { Cmd: null, Labels: { a: "b" } },
    }),
    "GET /images/img/json": () => ({ Id: "sha256:2" }),
  };

  test("finds containers first, then images, and prints one array", async () => {
    const context = fakeContext({ routes });
    expect(await runWords(context, "inspect", "web", "img")).toBe(0);
    expect(JSON.parse(context.out())).toMatchObject([{ Id: "1" }, { Id: "sha256:2" }]);
    expect(context.out()).toStartWith('[\n    {\n        "Id": "1"');
  });

  test("prints [] and says what is not there", async () => {
    const context = fakeContext({ routes });
    await expect(runWords(context, "inspect", "nope")).rejects.toMatchObject({
      exitCode: 1,
      message: "Error: No such object: nope",
    });
    expect(context.out()).toBe("[]\n");
  });

  test("gives templates Go's zero values, and JSON as it came", async () => {
    const context = fakeContext({ routes });
    await runWords(
      context,
      "inspect",
      "-f",
      "{{.State.Health}} {{.Config.Cmd}} {{.Config.Volumes}} {{json .Config}}",
      "web",
    );
    expect(context.out()).toBe('<nil> [] map[] {"Cmd":null,"Labels":{"a":"b"}}\n');
  });

  test("ends with 64 for a bad template, with 1 for a missing field", async () => {
    await expect(runWords(fakeContext({ routes }), "inspect", "-f", "{{", "web")).rejects.toMatchObject({
      exitCode: 64,
      message: "template parsing error: template: :1: unclosed action",
    });
    await expect(runWords(fakeContext({ routes }), "inspect", "-f", "{{.Nope}}", "web")).rejects.toMatchObject({
      exitCode: 1,
      message: 'template parsing error: template: :1:2: executing "" at <.Nope>: map has no entry for key "Nope"',
    });
  });
});

describe("berth rm", () => {
  const routes = {
    "DELETE /containers/a": () => undefined,
    "DELETE /containers/gone": () => new EngineError(404, "No such container: gone"),
    "DELETE /containers/busy": () => new EngineError(409, "cannot remove container"),
  };

  test("goes on after an error and ends with 1", async () => {
    const context = fakeContext({ routes });
    expect(await runWords(context, "rm", "gone", "a")).toBe(1);
    expect(context.out()).toBe("a\n");
    expect(context.err()).toBe("Error response from daemon: No such container: gone\n");
  });

  test("ends well with -f when there was nothing to remove", async () => {
    const context = fakeContext({ routes });
    expect(await runWords(context, "rm", "-f", "gone")).toBe(0);
    expect(await runWords(fakeContext({ routes }), "rm", "-f", "busy")).toBe(1);
  });
});

describe("berth container prune", () => {
  const routes = { "POST /containers/prune": () => ({ ContainersDeleted: ["x"], SpaceReclaimed: 12_345 }) };

  test("asks, and does nothing on anything but yes", async () => {
    const context = fakeContext({ routes, stdin: "n\n" });
    expect(await runWords(context, "container", "prune")).toBe(0);
    expect(context.out()).toBe(
      "WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] ",
    );
    expect(context.requests.map(({ method }) => method)).toEqual(["GET"]);
  });

  test("says before what an engine that can plan it will free", async () => {
    const plan = (): unknown => ({ containers: 79_950_000, images: 0, volumes: 0, buildCache: 0, total: 79_950_000 });
    const context = fakeContext({ routes: { ...routes, "GET /berth/prune": plan }, stdin: "n\n" });
    await runWords(context, "container", "prune", "--filter", "until=1h");
    expect(context.out()).toBe(
      "WARNING! This will remove all stopped containers.\nThis frees 79.95MB.\nAre you sure you want to continue? [y/N] ",
    );
    expect(context.requests[0]?.query).toEqual({ containers: true, filters: '{"until":["1h"]}' });
  });

  test.each([
    [["builder", "prune"], "dangling build cache.\nThis frees 5B.\nAre", { cache: "unused" }],
    [["image", "prune", "-a"], "associated to them.\nThis frees 5B.\nAre", { images: "all" }],
    [["volume", "prune"], "by at least one container.\nThis frees 5B.\nAre", { volumes: "anonymous" }],
    [
      ["system", "prune", "--volumes"],
      "  - unused build cache\n\nThis frees 5B.\nAre",
      { containers: true, images: "dangling", cache: "unused", volumes: "anonymous" },
    ],
  ])("berth %p asks the engine for its plan", async (words, text, query) => {
    const context = fakeContext({ routes: { "GET /berth/prune": () => ({ total: 5 }) }, stdin: "n\n" });
    await runWords(context, ...words);
    expect(context.out()).toContain(text);
    expect(context.requests[0]?.query).toEqual(query);
  });

  test("of build cache says with --verbose what each record was", async () => {
    const record = { ID: "one", Type: "regular", Description: "[2/2] RUN true", Size: 5, UsageCount: 2, Shared: false };
    const context = fakeContext({
      routes: {
        "GET /system/df": () => ({ BuildCache: [record, { ...record, ID: "two" }] }),
        "POST /build/prune": () => ({ CachesDeleted: ["one"], SpaceReclaimed: 5 }),
      },
    });
    await runWords(context, "buildx", "prune", "-f", "--verbose", "--builder", "default");
    expect(context.out()).toMatch(/^ID: +one\n/);
    expect(context.out()).toMatch(/\nDescription: +\[2\/2\] RUN true\n/);
    expect(context.out()).not.toContain("two");
    expect(context.out()).toEndWith("\n\nTotal reclaimed space: 5B\n");
  });

  test("says what it removed and freed", async () => {
    const context = fakeContext({ routes });
    await runWords(context, "container", "prune", "-f");
    expect(context.out()).toBe("Deleted Containers:\nx\n\nTotal reclaimed space: 12.35kB\n");
  });
});

describe("berth pull", () => {
  const messages = jsonLines(
    { status: "Pulling from library/busybox", id: "latest" },
    { status: "Pulling fs layer", progressDetail: {}, id: "aaa" },
    { status: "Downloading", progressDetail: { current: 5, total: 10 }, id: "aaa" },
    { status: "Pull complete", progressDetail: {}, id: "aaa" },
    { status: "Digest: sha256:1" },
    { status: "Status: Downloaded newer image for busybox:latest" },
  );

  test("prints docker's lines, and the canonical name last", async () => {
    const context = fakeContext({ routes: { "POST /images/create": () => messages } });
    expect(await runWords(context, "pull", "busybox")).toBe(0);
    expect(context.out()).toBe(`Using default tag: latest
latest: Pulling from library/busybox
aaa: Pulling fs layer
aaa: Pull complete
Digest: sha256:1
Status: Downloaded newer image for busybox:latest
docker.io/library/busybox:latest
`);
  });

  test("prints the name only with -q", async () => {
    const context = fakeContext({ routes: { "POST /images/create": () => messages } });
    await runWords(context, "pull", "-q", "busybox:1.36");
    expect(context.out()).toBe("docker.io/library/busybox:1.36\n");
  });

  test("draws the layers in place on a terminal and leaves the cursor visible", async () => {
    const context = fakeContext({
      routes: { "POST /images/create": () => messages },
      terminal: { rows: 24, columns: 80 },
    });
    await runWords(context, "pull", "busybox");
    expect(context.out()).toContain("\x1b[2Kaaa: Pull complete\r\n");
    expect(context.out().lastIndexOf("\x1b[?25h")).toBeGreaterThan(context.out().lastIndexOf("\x1b[?25l"));
  });

  test("fails with the engine's words when the stream does", async () => {
    const failed = jsonLines(
      { status: "x" },
      { errorDetail: { message: "digest mismatch" }, error: "digest mismatch" },
    );
    const context = fakeContext({ routes: { "POST /images/create": () => failed } });
    await expect(runWords(context, "pull", "busybox")).rejects.toThrow("digest mismatch");
  });
});

describe("berth system df", () => {
  const usage = {
    LayersSize: 2_167_000,
    Images: [
      {
        Id: "sha256:1",
        RepoTags: ["bb:2"],
        RepoDigests: [],
        Created: 1,
        Size: 2_167_000,
        SharedSize: 0,
        Containers: 0,
      },
    ],
    Containers: [],
    Volumes: [{ Name: "v", Driver: "local", UsageData: { Size: 500, RefCount: 1 } }],
    BuildCache: [
      {
        ID: "2319d4dea779aa",
        Type: "regular",
        Size: 1000,
        InUse: false,
        Shared: false,
        CreatedAt: "2025-01-01T00:00:00Z",
        LastUsedAt: null,
        UsageCount: 2,
      },
    ],
  };

  test("adds up what is used and what can be freed", async () => {
    const context = fakeContext({ routes: { "GET /system/df": () => usage } });
    await runWords(context, "system", "df");
    expect(context.out()).toBe(`TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE
Images          1         0         2.167MB   2.167MB (100%)
Containers      0         0         0B        0B
Local Volumes   1         1         500B      0B (0%)
Build Cache     1         0         1kB       1kB
`);
  });

  test("lists everything with -v", async () => {
    const context = fakeContext({ routes: { "GET /system/df": () => usage } });
    await runWords(context, "system", "df", "-v");
    expect(context.out()).toContain(
      "\nLocal Volumes space usage:\n\nVOLUME NAME   LINKS     SIZE\nv             1         500B\n",
    );
    expect(context.out()).toContain("\nBuild cache usage: 1kB\n\nCACHE ID");
  });
});

describe("berth system check", () => {
  test("names what is damaged and ends with 1", async () => {
    const lines = jsonLines(
      { kind: "layer", name: "sha256:1", problem: "digest mismatch" },
      { done: { layers: 2, blobs: 1, images: 1, bytes: 2000, problems: 1 } },
    );
    const context = fakeContext({ routes: { "GET /berth/system/check": () => lines } });
    expect(await runWords(context, "system", "check")).toBe(1);
    expect(context.out()).toBe("layer sha256:1: digest mismatch\nChecked 2 layers, 1 blob, 1 image (2kB): 1 problem\n");
  });
});
