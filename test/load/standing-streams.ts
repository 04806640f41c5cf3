import { type ClientRequest, request } from "node:http";

interface Standing {
  readonly name: string;
  readonly asking: ClientRequest;
  lines: number;
  isOpen: boolean;
}

/** Streams that stay open for the whole run: events, and statistics of some containers. `end` says which of them fell silent. */
export function openStandingStreams(socket: string, containers: readonly string[]): { end(): readonly string[] } {
  const paths = ["/events", ...containers.slice(0, 5).map((name) => `/containers/${name}/stats`)];
  const streams = paths.map((path) => open(socket, path));
  return {
    end: () => {
      const problems = streams.flatMap(({ name, lines, isOpen }) =>
        isOpen && lines > 0 ? [] : [`GET ${name} for the whole run: ${lines} lines, ${isOpen ? "open" : "closed"}`],
      );
      for (const { asking } of streams) asking.destroy();
      return problems;
    },
  };
}

function open(socketPath: string, path: string): Standing {
  const asking = request({ socketPath, path, agent: false });
  const stream: Standing = { name: path, asking, lines: 0, isOpen: true };
  const close = (): void => {
    stream.isOpen = false;
  };
  asking.once("error", close);
  asking.once("response", (response) => {
    response.on("data", (chunk: Buffer) => {
      stream.lines += chunk.toString("latin1").split("\n").length - 1;
    });
    response.once("close", close);
    response.on("error", close);
  });
  asking.end();
  return stream;
}
