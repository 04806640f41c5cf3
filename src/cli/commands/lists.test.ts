import { describe, expect, test } from "bun:test";
import type { ContainerSummary } from "#spec/docker-containers.ts";
import type { HistoryItem, ImageSummary } from "#spec/docker-images.ts";
import { fakeContext } from "../testing/fake-context.ts";
import { runWords } from "../testing/run-words.ts";

const NOW = Math.trunc(Date.now() / 1000);

const CONTAINER: ContainerSummary = {
  Id: "0123456789abcdef".padEnd(64, "0"),
  Names: ["/web", "/other/link"],
  Image: "diamol/ch03-web-ping",
  ImageID: "sha256:aa",
  Command: "docker-entrypoint.sh node /web-ping/app.js",
  Created: NOW - 120,
  Ports: [
    { IP: "0.0.0.0", PrivatePort: 80, PublicPort: 8080, Type: "tcp" },
    { IP: "0.0.0.0", PrivatePort: 9001, PublicPort: 9001, Type: "tcp" },
    { IP: "0.0.0.0", PrivatePort: 9000, PublicPort: 9000, Type: "tcp" },
    { PrivatePort: 53, Type: "udp" },
  ],
  Labels: { b: "2", a: "1" },
  State: "running",
  Status: "Up 2 minutes",
  HostConfig: { NetworkMode: "bridge" },
  NetworkSettings: { Networks: { bridge: {} } },
  Mounts: [],
};

const IMAGE: ImageSummary = {
  Id: "sha256:c3a69ab35b3b8c50effa82735755ffeb624ddb754d3424c152d2f8c21e369da3",
  ParentId: "",
  RepoTags: ["web-ping:latest", "localhost:5000/web-ping:v2"],
  RepoDigests: ["web-ping@sha256:11", "other@sha256:22"],
  Created: NOW - 3 * 7 * 86400,
  Size: 75_900_000,
  SharedSize: -1,
  Labels: null,
  Containers: -1,
};

async function output(routes: Parameters<typeof fakeContext>[0], ...words: readonly string[]): Promise<string> {
  const context = fakeContext(routes);
  expect(await runWords(context, ...words)).toBe(0);
  return context.out();
}

describe("berth ps", () => {
  const routes = { routes: { "GET /containers/json": () => [CONTAINER] } };

  test("prints docker's table", async () => {
    expect(await output(routes, "ps")).toBe(
      `CONTAINER ID   IMAGE                  COMMAND                  CREATED         STATUS         PORTS                                                            NAMES
0123456789ab   diamol/ch03-web-ping   "docker-entrypoint.s…"   2 minutes ago   Up 2 minutes   53/udp, 0.0.0.0:9000-9001->9000-9001/tcp, 0.0.0.0:8080->80/tcp   web
`,
    );
  });

  test("prints ids with -q, whole ones with --no-trunc", async () => {
    expect(await output(routes, "ps", "-q")).toBe("0123456789ab\n");
    expect(await output(routes, "ps", "-q", "--no-trunc")).toBe(`${CONTAINER.Id}\n`);
  });

  test("prints the user's template, with methods", async () => {
    expect(await output(routes, "ps", "--format", '{{.Names}}\\t{{.Label "a"}}')).toBe("web\t1\n");
    expect(await output(routes, "ps", "--format", "table {{.Names}}\\t{{.State}}")).toBe(
      "NAMES     STATE\nweb       running\n",
    );
    // What only values can go through: docker leaves the header empty.
    const split = 'table {{range (split .Names "x")}}{{.}}{{end}}';
    expect((await output(routes, "ps", "--format", split)).startsWith("\n")).toBe(true);
  });

  test("escapes < and > in JSON rows, as docker does, and sorts their names", async () => {
    const line = await output(routes, "ps", "--format", "json");
    expect(line).toContain('"Ports":"53/udp, 0.0.0.0:9000-9001-\\u003e9000-9001/tcp');
    expect(Object.keys(JSON.parse(line))).toEqual(Object.keys(JSON.parse(line)).sort());
  });

  test("refuses unknown fields even when nothing is listed", async () => {
    const context = fakeContext({ routes: { "GET /containers/json": () => [] } });
    await expect(runWords(context, "ps", "--format", "{{.Nope}}")).rejects.toThrow(
      'failed to execute template: template: :1:2: executing "" at <.Nope>: can\'t evaluate field Nope in type *formatter.ContainerContext',
    );
  });

  test("asks for sizes when a template names them", async () => {
    const context = fakeContext(routes);
    await runWords(context, "ps", "-a", "--format", "{{.Size}}", "--filter", "name=web", "-n", "3");
    expect(context.requests[0]?.query).toMatchObject({ all: true, size: true, limit: 3, filters: '{"name":["web"]}' });
  });
});

describe("berth image ls", () => {
  const routes = { routes: { "GET /images/json": () => [IMAGE, { ...IMAGE, RepoTags: [], RepoDigests: [] }] } };

  test("prints a line a tag, and <none>", async () => {
    expect(await output(routes, "image", "ls")).toBe(
      `REPOSITORY                TAG       IMAGE ID       CREATED       SIZE
web-ping                  latest    c3a69ab35b3b   3 weeks ago   75.9MB
localhost:5000/web-ping   v2        c3a69ab35b3b   3 weeks ago   75.9MB
other                     <none>    c3a69ab35b3b   3 weeks ago   75.9MB
<none>                    <none>    c3a69ab35b3b   3 weeks ago   75.9MB
`,
    );
  });

  test("stand on a terminal as docker 29 has them: untagged ones left out, and a chip for those in use", async () => {
    const used = { ...IMAGE, Id: `sha256:${"b".repeat(64)}`, RepoTags: ["used:1"], Containers: 1 };
    const untagged = { ...IMAGE, RepoTags: [], RepoDigests: [] };
    const onTerminal = (environment: Readonly<Record<string, string>>): ReturnType<typeof fakeContext> =>
      fakeContext({
        routes: { "GET /images/json": () => [used, IMAGE, untagged] },
        terminal: { rows: 24, columns: 80 },
        environment,
      });
    const plain = onTerminal({ NO_COLOR: "1" });
    await runWords(plain, "images");
    expect(plain.out().split("\n")).toEqual([
      expect.stringMatching(/^ +i Info → {3}U {2}In Use$/),
      expect.stringMatching(/^IMAGE +ID +DISK USAGE +CONTENT SIZE +EXTRA$/),
      expect.stringMatching(/^used:1 +bbbbbbbbbbbb +75\.9MB +0B +U$/),
      expect.stringMatching(/^web-ping:latest +c3a69ab35b3b +75\.9MB +0B *$/),
      expect.stringMatching(/^localhost:5000\/web-ping:v2 +c3a69ab35b3b +75\.9MB +0B *$/),
      "",
    ]);
    const colored = onTerminal({});
    await runWords(colored, "images");
    expect(colored.out()).toContain("\u001b[48;5;14m U \u001b[0m");
    const classic = onTerminal({});
    await runWords(classic, "images", "--no-trunc");
    expect(classic.out()).toStartWith("REPOSITORY");
  });

  test("prints digests beside the tags of their repository", async () => {
    expect(await output(routes, "images", "--digests", "--format", "{{.Repository}} {{.Tag}} {{.Digest}}")).toBe(
      "web-ping latest sha256:11\nlocalhost:5000/web-ping v2 <none>\nother <none> sha256:22\n<none> <none> <none>\n",
    );
  });

  test("sends the pattern as a reference filter", async () => {
    const context = fakeContext(routes);
    await runWords(context, "image", "ls", "w*");
    expect(context.requests[0]?.query).toMatchObject({ filters: '{"reference":["w*"]}' });
  });
});

describe("berth history", () => {
  const item: HistoryItem = {
    Id: "<missing>",
    Created: NOW - 7200,
    CreatedBy: "RUN /bin/sh -c npm ci --omit=dev && rm -rf /root/.npm # buildkit",
    Tags: null,
    Size: 999_999,
    Comment: "buildkit.dockerfile.v0",
  };
  const routes = { routes: { "GET /images/x/history": () => [item] } };

  test("cuts what created a layer, and prints three digits of its size", async () => {
    expect(await output(routes, "history", "x")).toBe(
      `IMAGE       CREATED       CREATED BY                                      SIZE      COMMENT
<missing>   2 hours ago   RUN /bin/sh -c npm ci --omit=dev && rm -rf /…   1e+03kB   buildkit.dockerfile.v0
`,
    );
  });

  test("prints plain numbers with --human=false", async () => {
    expect(await output(routes, "history", "-H=false", "--format", "{{.Size}}", "x")).toBe("999999\n");
  });
});
