import { describe, expect, test } from "bun:test";
import type { EngineStream } from "#client/engine.ts";
import { EngineError } from "#client/engine-error.ts";
import { writeFrame } from "#formats/stdcopy.ts";
import { type FakeRoutes, fakeContext, jsonLines } from "../../testing/fake-context.ts";
import { runWords } from "../../testing/run-words.ts";

const ID = "0123456789ab".padEnd(64, "0");

const ROUTES: FakeRoutes = {
  "POST /containers/create": () => ({ Id: ID, Warnings: ["careful"] }),
  [`POST /containers/${ID}/start`]: () => undefined,
  [`POST /containers/${ID}/wait`]: () => ({ StatusCode: 7 }),
};

function stream(...output: readonly Buffer[]): { readonly stream: () => EngineStream; readonly input: () => string } {
  const written: Uint8Array[] = [];
  return {
    input: () => Buffer.concat(written).toString(),
    stream: () => ({
      output: (async function* () {
        // The container answers when it has read its input.
        await Bun.sleep(1);
        yield* output;
      })(),
      write: async (bytes) => void written.push(bytes),
      end: () => void written.push(Buffer.from("<end>")),
      destroy: () => undefined,
    }),
  };
}

describe("berth run", () => {
  test("attaches and waits before it starts, and ends with the container's code", async () => {
    const { stream: open } = stream(writeFrame(1, Buffer.from("out")), writeFrame(2, Buffer.from("err")));
    const context = fakeContext({ routes: ROUTES, stream: open });
    expect(await runWords(context, "run", "img", "sh")).toBe(7);
    expect(context.requests.map(({ path }) => path.replace(ID, "ID"))).toEqual([
      "/containers/create",
      "/containers/ID/attach",
      "/containers/ID/wait",
      "/containers/ID/start",
    ]);
    expect(context.out()).toBe("out");
    expect(context.err()).toBe("WARNING: careful\nerr");
  });

  test("waits for the removal with --rm", async () => {
    const { stream: open } = stream();
    const context = fakeContext({ routes: ROUTES, stream: open });
    await runWords(context, "run", "--rm", "img");
    expect(context.requests.find(({ path }) => path.endsWith("/wait"))?.query).toEqual({ condition: "removed" });
  });

  test("passes stdin on and half-closes it with -i", async () => {
    const { stream: open, input } = stream(writeFrame(1, Buffer.from("x")));
    const context = fakeContext({ routes: ROUTES, stream: open, stdin: "typed" });
    await runWords(context, "run", "-i", "img");
    expect(input()).toBe("typed<end>");
  });

  test("prints the id with -d and does not attach", async () => {
    const context = fakeContext({ routes: ROUTES });
    expect(await runWords(context, "run", "-d", "--name", "web", "img")).toBe(0);
    expect(context.out()).toBe(`${ID}\n`);
    expect(context.requests[0]?.query).toMatchObject({ name: "web" });
  });

  test("pulls an image that is not there, on stderr, and creates again", async () => {
    let creates = 0;
    const context = fakeContext({
      routes: {
        ...ROUTES,
        "POST /containers/create": () =>
          ++creates === 1 ? new EngineError(404, "No such image: img:latest") : { Id: ID, Warnings: [] },
        "POST /images/create": () =>
          jsonLines(
            { status: "Pulling from library/img", id: "latest" },
            { status: "Downloading", id: "a", progressDetail: { current: 1, total: 2 } },
          ),
      },
    });
    expect(await runWords(context, "run", "-d", "img")).toBe(0);
    expect(context.err()).toBe("Unable to find image 'img:latest' locally\nlatest: Pulling from library/img\n");
    expect(context.requests[1]?.query).toMatchObject({ fromImage: "img", tag: "latest" });
  });

  test("does not pull with --pull never", async () => {
    const context = fakeContext({
      routes: { "POST /containers/create": () => new EngineError(404, "No such image: img:latest") },
    });
    await expect(runWords(context, "run", "--pull", "never", "img")).rejects.toMatchObject({ exitCode: 125 });
  });

  const failures: readonly (readonly [string, number])[] = [
    ['exec: "x": executable file not found in $PATH', 127],
    ['exec: "/etc": permission denied', 126],
    ["driver failed programming external connectivity", 125],
  ];
  for (const [reason, exitCode] of failures) {
    test(`ends with ${exitCode} when the start fails: ${reason}`, async () => {
      const { stream: open } = stream();
      const context = fakeContext({
        routes: { ...ROUTES, [`POST /containers/${ID}/start`]: () => new EngineError(400, reason) },
        stream: open,
      });
      const running = runWords(context, "run", "img", "x");
      await expect(running).rejects.toMatchObject({
        exitCode,
        message: `berth: Error response from daemon: ${reason}\n\nRun 'berth run --help' for more information`,
      });
    });
  }

  test("refuses -t without a terminal", async () => {
    await expect(runWords(fakeContext({ routes: ROUTES }), "run", "-it", "img")).rejects.toThrow(
      "the input device is not a TTY",
    );
  });

  test("detaches on ctrl-p ctrl-q and leaves the container running", async () => {
    const context = fakeContext({
      routes: { ...ROUTES, [`POST /containers/${ID}/resize`]: () => undefined },
      terminal: { rows: 24, columns: 80 },
      stdin: "ls\r\x10\x11",
      stream: () => ({
        output: (async function* (): AsyncGenerator<Buffer> {
          await Bun.sleep(1000);
          yield Buffer.from("late");
        })(),
        write: async () => undefined,
        end: () => undefined,
        destroy: () => undefined,
      }),
    });
    expect(await runWords(context, "run", "-it", "img")).toBe(0);
    expect(context.out()).toBe("");
  });
});
