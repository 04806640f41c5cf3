import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect as connectTcp, createServer } from "node:net";
import {
  type Connected,
  connect,
  inside,
  NetworkTestBed,
  open,
  published,
  refuses,
  type TestEngine,
} from "../network-test-bed.ts";

let bed: NetworkTestBed;

beforeEach(() => {
  bed = new NetworkTestBed();
});

afterEach(async () => {
  expect(await bed.close()).toEqual([]);
});

/** What a connection to [::1] brings, when `text` is sent and then nothing more. */
async function ask(port: number, text: string | Uint8Array = "", host = "::1"): Promise<Buffer> {
  const socket = connectTcp({ host, port, allowHalfOpen: true });
  socket.end(text);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function eventually<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt > 100) throw error;
      await Bun.sleep(20);
    }
  }
}

function hostPortOf({ ports }: Connected): number {
  return ports[0]!.hostPort;
}

/** A server that gives back what it gets, once the client has said all. */
async function echo(engine: TestEngine, port: Parameters<typeof published>[2] = {}): Promise<Connected> {
  const server = await connect(engine, [published(80, 0, port)]);
  bed.startInside(server, "socat", "-t", "10", "TCP4-LISTEN:80,reuseaddr,fork", "EXEC:cat");
  await eventually(async () => inside(server, "socat", "-T", "1", "-", "TCP4:127.0.0.1:80"));
  return server;
}

/** The service's process, as whoever looks for it finds it. */
function servicePid(engine: TestEngine): number | undefined {
  const mark = `${engine.name}-names`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8")
          .split("\0")
          .some((word) => word.endsWith(mark));
      } catch {
        return false;
      }
    });
}

describe("a published port of a container without IPv6", () => {
  test("is on 0.0.0.0 and [::], one number for both", async () => {
    const engine = await bed.newEngine();
    const server = await echo(engine);
    expect(server.ports.map(({ hostIp }) => hostIp)).toEqual(["0.0.0.0", "::"]);
    expect(new Set(server.ports.map(({ hostPort }) => hostPort)).size).toBe(1);
    expect(String(await ask(hostPortOf(server), "hello"))).toBe("hello");
    expect(String(await ask(hostPortOf(server), "hello", "127.0.0.1"))).toBe("hello");
  });

  test("takes any amount both ways at the same time, each end as fast as the other reads", async () => {
    const engine = await bed.newEngine();
    const server = await echo(engine);
    const content = randomBytes(32 * 1024 * 1024);
    const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
    expect(digest(await ask(hostPortOf(server), content))).toBe(digest(content));
  });

  test("holds back a server whose client reads nothing", async () => {
    const engine = await bed.newEngine();
    const server = await connect(engine, [published(80)]);
    bed.startInside(server, "socat", "-u", "OPEN:/dev/zero", "TCP4-LISTEN:80,reuseaddr,fork");
    const client = await eventually(async () => {
      const socket = connectTcp({ host: "::1", port: hostPortOf(server) });
      await once(socket, "connect");
      await Promise.race([once(socket, "data"), once(socket, "close").then(() => Promise.reject(new Error("closed")))]);
      return socket;
    });
    client.pause();
    const pid = servicePid(engine)!;
    const memory = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
    await Bun.sleep(200);
    const before = memory();
    await Bun.sleep(500);
    expect(memory() - before).toBeLessThan(20_000);
    client.destroy();
  });

  test("udp: answers find their way back to each client", async () => {
    const engine = await bed.newEngine();
    const server = await connect(engine, [published(53, 0, { protocol: "udp" })]);
    bed.startInside(server, "socat", "UDP4-RECVFROM:53,fork", "EXEC:cat");
    const askUdp = async (text: string): Promise<string> => {
      const socket = createSocket("udp6");
      try {
        socket.send(text, hostPortOf(server), "::1");
        const timeout = Bun.sleep(200).then(() => Promise.reject(new Error("no answer")));
        const [answer] = await Promise.race([once(socket, "message"), timeout]);
        return String(answer);
      } finally {
        socket.close();
      }
    };
    const answers = ["one", "two", "three"].map((text) => eventually(() => askUdp(text)));
    expect(await Promise.all(answers)).toEqual(["one", "two", "three"]);
  });

  test("a host address of IPv6 limits it to that address", async () => {
    const engine = await bed.newEngine();
    const server = await echo(engine, { hostIp: "::1" });
    expect(server.ports.map(({ hostIp }) => hostIp)).toEqual(["::1"]);
    expect(String(await ask(hostPortOf(server), "hello"))).toBe("hello");
    expect(refuses("127.0.0.1", hostPortOf(server), server)).toBe(true);
  });

  test("that another program has on [::] is refused in Docker's words, and nothing stays", async () => {
    const engine = await bed.newEngine();
    const other = createServer().listen({ host: "::", port: 0, ipv6Only: true });
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address ? address.port : 0;
    expect(connect(engine, [published(80, port)])).rejects.toThrow(
      `listen tcp6 [::]:${port}: bind: address already in use`,
    );
    await connect(engine).catch(() => undefined);
    other.close();
    await once(other, "close");
    expect((await connect(engine, [published(80, port)])).ports).toHaveLength(2);
  });
});

describe("the relay", () => {
  test("gives a port to the next container at once, and ends clients of the one before", async () => {
    const engine = await bed.newEngine();
    const first = await echo(engine);
    const port = hostPortOf(first);
    const client = connectTcp({ host: "::1", port });
    await once(client, "connect");
    await engine.driver.close(first.containerId);
    const next = await open(engine, "next", [published(80, port)]);
    if (!client.closed) await once(client, "close");
    bed.startInside(next, "socat", "TCP4-LISTEN:80,reuseaddr,fork", "EXEC:cat");
    expect(await eventually(async () => String(await ask(port, "again")) || Promise.reject(new Error("not yet")))).toBe(
      "again",
    );
  });

  test("goes on, open connections included, while the engine restarts", async () => {
    const engine = await bed.newEngine();
    const server = await echo(engine);
    const client = connectTcp({ host: "::1", port: hostPortOf(server), allowHalfOpen: true });
    client.write("before ");
    await once(client, "connect");
    const restarted = bed.restart(engine);
    expect(String(await ask(hostPortOf(server), "meanwhile"))).toBe("meanwhile");
    const { containerId, sandboxId, netnsPath, endpoints, portRequests, ports } = server;
    const sandbox = { containerId, sandboxId, netnsPath, endpoints, portRequests, ports };
    expect(await restarted.driver.restore([sandbox], [engine.network])).toEqual([]);
    client.end("after");
    const [answer] = await once(client.setEncoding("utf8"), "data");
    expect("before after").toStartWith(answer);
    await restarted.driver.close(containerId);
    expect(refuses("::1", hostPortOf(server), server)).toBe(true);
  });

  test("comes back when it is killed", async () => {
    const engine = await bed.newEngine();
    const server = await echo(engine);
    const pid = servicePid(engine)!;
    process.kill(pid, "SIGKILL");
    expect(await eventually(async () => String(await ask(hostPortOf(server), "hello")))).toBe("hello");
    expect(servicePid(engine)).not.toBe(pid);
  });

  test("there is no process for containers without ports", async () => {
    const engine = await bed.newEngine();
    await connect(engine);
    await connect(engine, [published(80, 0, { hostIp: "127.0.0.1" })]);
    expect(servicePid(engine)).toBeUndefined();
    expect(execFileSync("ss", ["-6ltnH"], { encoding: "utf8" })).not.toContain(engine.name);
  });
});
