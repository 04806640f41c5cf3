import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { get } from "node:http";
import { connect, type Socket } from "node:net";
import { encodeFrame, OPCODE } from "../../src/formats/websocket.ts";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { until } from "../../tools/harness/until.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

/** A WebSocket client by hand: what came so far, and whether the server has closed. */
class TestSocket {
  readonly socket: Socket;
  received: Buffer = Buffer.alloc(0);
  isClosed = false;

  constructor(path: string, headers: readonly string[] = []) {
    this.socket = connect(engine.socket);
    const lines = [
      `GET ${path} HTTP/1.1`,
      "Host: engine",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      ...(headers.length > 0 ? headers : ["Sec-WebSocket-Version: 13"]),
    ];
    this.socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    this.socket.on("data", (chunk) => {
      this.received = Buffer.concat([this.received, Buffer.from(chunk)]);
    });
    this.socket.on("close", () => {
      this.isClosed = true;
    });
    this.socket.on("end", () => this.socket.end());
    this.socket.on("error", () => undefined);
  }

  /** Masked with zeros, which leaves the payload as it is. */
  send(opcode: number, payload: string): void {
    const frame = encodeFrame(opcode, Buffer.from(payload));
    frame[1] = (frame[1] ?? 0) | 0x80;
    this.socket.write(Buffer.concat([frame.subarray(0, 2), Buffer.alloc(4), frame.subarray(2)]));
  }

  get head(): string {
    return this.received.toString("latin1").split("\r\n\r\n", 1)[0] ?? "";
  }

  /** Payload of all short frames. */
  get text(): string {
    let at = this.received.indexOf("\r\n\r\n") + 4;
    let text = "";
    while (at > 3 && at + 2 <= this.received.length) {
      const length = this.received[at + 1] ?? 0;
      if (this.received[at] === 0x82) text += this.received.toString("utf8", at + 2, at + 2 + length);
      at += 2 + length;
    }
    return text;
  }
}

describe("GET /containers/{id}/attach/ws", () => {
  test("carries input and output, answers pings, and closes with the container", async () => {
    await engine.ok([
      "run",
      "-d",
      "-i",
      "--name",
      "talk",
      "busybox",
      "sh",
      "-c",
      "echo early; while read x; do [ $x = quit ] && exit; echo got $x; done",
    ]);
    await until(async () => (await engine.ok(["logs", "talk"])) === "early");
    const client = new TestSocket("/v1.51/containers/talk/attach/ws?stream=1&logs=1&stdin=1&stdout=1&stderr=1");
    await until(() => client.text === "early\n");
    expect(client.head).toContain("HTTP/1.1 101");
    expect(client.head).toContain("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    client.send(OPCODE.text, "one\ntw");
    client.send(OPCODE.binary, "o\n");
    await until(() => client.text === "early\ngot one\ngot two\n");
    client.send(OPCODE.ping, "are you there");
    await until(() => client.received.includes(Buffer.concat([Buffer.from([0x8a, 13]), Buffer.from("are you there")])));
    client.send(OPCODE.text, "quit\n");
    await until(() => client.isClosed);
    expect(client.received.subarray(-4)).toEqual(Buffer.from([0x88, 2, 3, 232]));
    await engine.ok(["rm", "talk"]);
  }, 120_000);

  test("lets the container run when the client closes, or says what it is not", async () => {
    await engine.ok(["run", "-d", "-i", "--name", "stay", "busybox", "cat"]);
    const client = new TestSocket("/v1.51/containers/stay/attach/ws?stream=1&stdin=1&stdout=1");
    await until(() => client.head !== "");
    client.send(OPCODE.close, "");
    await until(() => client.isClosed);
    const broken = new TestSocket("/v1.51/containers/stay/attach/ws?stream=1&stdin=1&stdout=1");
    await until(() => broken.head !== "");
    broken.socket.write(encodeFrame(OPCODE.text, Buffer.from("not masked")));
    await until(() => broken.isClosed);
    expect(broken.received.subarray(-4)).toEqual(Buffer.from([0x88, 2, 3, 234]));
    expect(await engine.ok(["inspect", "-f", "{{.State.Running}}", "stay"])).toBe("true");
    const old = new TestSocket("/v1.51/containers/stay/attach/ws?stream=1", ["Sec-WebSocket-Version: 8"]);
    await until(() => old.isClosed);
    expect(old.head).toContain("400 Bad Request");
    const none = new TestSocket("/v1.51/containers/none/attach/ws?stream=1");
    await until(() => none.isClosed);
    expect(none.received.toString()).toContain("No such container: none");
    await engine.ok(["rm", "-f", "stay"]);
  }, 120_000);
});

/** Status, type and body of a GET that ends. */
function answer(
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; type: string; body: string }> {
  return new Promise((resolve, reject) => {
    const request = get({ socketPath: engine.socket, path: `/v1.51${path}`, agent: false, headers }, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, type: response.headers["content-type"] ?? "", body });
      });
    });
    request.once("error", reject);
  });
}

/** A client by hand that is attached to a container and does not read its output yet. */
async function attachedSilently(id: string): Promise<{ readonly socket: Socket; readonly received: () => number }> {
  const socket = connect(engine.socket);
  let size = 0;
  socket.on("error", () => undefined);
  const answered = new Promise<void>((resolve) => {
    socket.on("data", (chunk) => {
      if (size === 0) socket.pause();
      size += chunk.length;
      resolve();
    });
  });
  const path = `/v1.51/containers/${id}/attach?stream=1&stdout=1`;
  socket.write(`POST ${path} HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`);
  await answered;
  return { socket, received: () => size };
}

describe("POST /containers/{id}/wait", () => {
  const waitFor = (id: string, condition: string): Promise<unknown> =>
    fetch(`http://engine/v1.51/containers/${id}/wait?condition=${condition}`, {
      method: "POST",
      unix: engine.socket,
    }).then((response) => response.json());

  test("has the input of a client that sent it all and left before the container started", async () => {
    const id = await engine.ok(["create", "-i", "busybox", "cat"]);
    const socket = connect(engine.socket);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write(
      `POST /v1.51/containers/${id}/attach?stream=1&stdin=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`,
    );
    await new Promise((resolve) => socket.once("data", resolve));
    socket.end("all of it", () => socket.destroy());
    await closed;
    await engine.ok(["start", id]);
    expect(await engine.ok(["wait", id])).toBe("0");
    expect(await engine.ok(["logs", id])).toBe("all of it");
    await engine.ok(["rm", id]);
  });

  test("answers when a client that is attached has the last bytes", async () => {
    const id = await engine.ok(["create", "--network", "none", "busybox", "head", "-c", "600000", "/dev/zero"]);
    const client = await attachedSilently(id);
    const order: string[] = [];
    const note = (condition: string): Promise<unknown> =>
      waitFor(id, condition).then((result) => order.push(`${condition} ${JSON.stringify(result)}`));
    const first = note("next-exit");
    await engine.ok(["start", id]);
    await until(async () => (await engine.ok(["inspect", "-f", "{{.State.Status}}", id])) === "exited");
    const waiting = [first, note("not-running")];
    // Nobody is told yet.
    expect(order).toEqual([]);
    client.socket.once("end", () => order.push("end of the output"));
    client.socket.resume();
    await Promise.all(waiting);
    expect(order[0]).toBe("end of the output");
    expect(order.slice(1).toSorted()).toEqual(
      ["next-exit", "not-running"].map((condition) => `${condition} {"StatusCode":0}`),
    );
    expect(client.received()).toBeGreaterThan(600_000);
    await engine.ok(["rm", id]);
  }, 120_000);

  test("is not held up for long by a client that does not read, nor by one that is attached to what has not started", async () => {
    const id = await engine.ok(["create", "--network", "none", "busybox", "head", "-c", "600000", "/dev/zero"]);
    const { socket } = await attachedSilently(id);
    expect(await waitFor(id, "not-running")).toEqual({ StatusCode: 0 });
    await engine.ok(["start", id]);
    expect(await waitFor(id, "not-running")).toEqual({ StatusCode: 0 });
    socket.destroy();
    await engine.ok(["rm", id]);
  }, 120_000);
});

describe("GET /events", () => {
  test("comes in the type that the client accepts", async () => {
    await engine.ok(["run", "--rm", "busybox", "true"]);
    const until = `until=${Math.floor(Date.now() / 1000)}.${String((Date.now() % 1000) * 1_000_000).padStart(9, "0")}`;
    const plain = await answer(`/events?${until}`);
    expect(plain.type).toBe("application/json");
    const lines = plain.body
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.length).toBeGreaterThan(4);
    expect((await answer(`/events?${until}`, { Accept: "application/x-ndjson" })).type).toBe("application/x-ndjson");
    const sequence = await answer(`/events?${until}`, { Accept: "text/html, application/json-seq;q=0.9" });
    expect(sequence.type).toBe("application/json-seq");
    expect(sequence.body.split("\u001e")).toHaveLength(lines.length + 1);
  });

  test("refuses times that contradict each other and filters that do not exist", async () => {
    expect(await answer("/events?since=200&until=100")).toMatchObject({
      status: 400,
      body: '{"message":"`since` time (200) cannot be after `until` time (100)"}\n',
    });
    expect(await answer(`/events?until=1&filters=${encodeURIComponent('{"x":["y"]}')}`)).toMatchObject({
      status: 400,
      body: '{"message":"invalid filter \'x\'"}\n',
    });
  });
});

describe("log drivers", () => {
  test("--details shows what the options name", async () => {
    const options = ["--log-opt", "labels=tier", "--log-opt", "env=LANG", "--log-opt", "tag={{.Name}}"];
    await engine.ok([
      "run",
      "--name",
      "detailed",
      "-l",
      "tier=a b",
      "-e",
      "LANG=de",
      ...options,
      "busybox",
      "echo",
      "hi",
    ]);
    expect(await engine.ok(["logs", "--details", "detailed"])).toBe("LANG=de,tag=detailed,tier=a+b hi");
    expect(await engine.ok(["logs", "-t", "--details", "detailed"])).toMatch(
      /^\S+Z LANG=de,tag=detailed,tier=a\+b hi$/,
    );
    expect(await engine.ok(["logs", "detailed"])).toBe("hi");
    const path = await engine.ok(["inspect", "-f", "{{.LogPath}}", "detailed"]);
    expect(existsSync(path)).toBe(true);
    await engine.ok(["rm", "detailed"]);
  });

  test("none shows output to who is attached and keeps nothing", async () => {
    const result = await engine.berth(["run", "--name", "quiet", "--log-driver", "none", "busybox", "echo", "hi"]);
    expect(result.stdout).toBe("hi\n");
    const { exitCode, stderr } = await engine.berth(["logs", "quiet"]);
    expect([exitCode, stderr]).toEqual([
      1,
      "Error response from daemon: configured logging driver does not support reading\n",
    ]);
    expect(await engine.ok(["inspect", "-f", "{{.LogPath}}", "quiet"])).toBe("");
    const id = await engine.ok(["inspect", "-f", "{{.Id}}", "quiet"]);
    await until(() => !existsSync(`${engine.dataRoot}/containers/${id}/container.log`));
    await engine.ok(["rm", "quiet"]);
  });

  test("that are not there, and options that they have not, are refused at create", async () => {
    const refused = async (...flags: readonly string[]): Promise<string> =>
      (await engine.berth(["create", ...flags, "busybox"])).stderr.split("\n")[0] ?? "";
    expect(await refused("--log-driver", "syslog")).toContain('log driver "syslog" is not supported');
    expect(await refused("--log-opt", "x=y")).toContain("unknown log opt 'x' for json-file log driver");
    expect(await engine.ok(["ps", "-aq"])).toBe("");
  });

  test("pack what was put aside; every reader still gets every line once", async () => {
    const options = ["--log-opt", "max-size=20k", "--log-opt", "max-file=4", "--log-opt", "compress=true"];
    // Bursts that rotate, with time between them for the packing.
    const script =
      "i=0; while [ $i -lt 3000 ]; do echo line $i of a log that is long enough; i=$((i+1)); [ $((i % 250)) = 0 ] && sleep 0.1; done; sleep 0.3";
    const id = await engine.ok(["run", "-d", "--name", "packed", ...options, "busybox", "sh", "-c", script]);
    const followed = (await engine.ok(["logs", "-f", "packed"])).split("\n");
    expect(followed).toEqual(Array.from({ length: 3000 }, (_, index) => `line ${index} of a log that is long enough`));
    const directory = `${engine.dataRoot}/containers/${id}`;
    expect(readdirSync(directory).filter((name) => name.endsWith(".gz")).length).toBeGreaterThan(0);
    const kept = (await engine.ok(["logs", "packed"])).split("\n");
    expect(kept.length).toBeGreaterThan(300);
    expect(kept).toEqual(followed.slice(-kept.length));
    expect((await engine.ok(["logs", "-n", "400", "packed"])).split("\n")).toEqual(followed.slice(-400));
    expect(readdirSync(directory).filter((name) => /tmp|gz\.\d/.test(name))).toEqual([]);
    await engine.ok(["rm", "packed"]);
  }, 120_000);

  test("of the engine's configuration are every container's", async () => {
    const other = await PrivateEngine.start({ daemonArgs: ["--log-driver", "local", "--log-opt", "max-size=1m"] });
    try {
      await makeBusybox(other);
      await other.ok(["run", "--name", "plain", "busybox", "echo", "hi"]);
      expect(await other.ok(["inspect", "-f", "{{json .HostConfig.LogConfig}}", "plain"])).toBe(
        '{"Type":"local","Config":{"max-size":"1m"}}',
      );
      expect(await other.ok(["info", "-f", "{{.LoggingDriver}}"])).toBe("local");
      expect(await other.ok(["logs", "plain"])).toBe("hi");
    } finally {
      await other.close();
    }
  }, 120_000);
});
