import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { decode, encode } from "dns-packet";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { traces } from "../../tools/harness/footprint.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(async () => {
  await engine.stop();
  await engine.cleanUp();
  expect(await traces(engine)).toEqual([]);
  await engine.close();
}, 120_000);

/** The standard error of a command that fails. */
async function failure(...args: readonly string[]): Promise<string> {
  const { exitCode, stderr } = await engine.berth(args);
  expect(exitCode).not.toBe(0);
  return stderr.split("\n")[0] ?? "";
}

/** Runs `names` as sleeping containers with these arguments, for the length of a test. */
async function sleepers(containers: Readonly<Record<string, readonly string[]>>): Promise<AsyncDisposable> {
  for (const [name, args] of Object.entries(containers))
    await engine.ok(["run", "-d", "--name", name, ...args, "busybox", "sleep", "600"]);
  return { [Symbol.asyncDispose]: async () => void (await engine.ok(["rm", "-f", ...Object.keys(containers)])) };
}

/** A network for the length of a test. */
async function network(name: string, ...args: readonly string[]): Promise<AsyncDisposable> {
  await engine.ok(["network", "create", ...args, name]);
  return { [Symbol.asyncDispose]: async () => void (await engine.ok(["network", "rm", name])) };
}

/** The addresses that a container finds under a name, in order; what nslookup says of a failure. */
async function lookUp(container: string, name: string): Promise<string> {
  const { stdout, stderr } = await engine.berth(["exec", container, "nslookup", name]);
  const found = [...stdout.matchAll(/^(?:Address: |.*name = )(.+)$/gm)].map(([, answer]) => answer ?? "");
  return found.length > 0 ? found.sort().join(" ") : (/(NXDOMAIN|SERVFAIL)/.exec(`${stdout}${stderr}`)?.[1] ?? "");
}

async function addressOf(container: string, networkName: string): Promise<string> {
  return engine.ok(["inspect", "-f", `{{(index .NetworkSettings.Networks "${networkName}").IPAddress}}`, container]);
}

function api(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const call = request({ socketPath: engine.socket, method, path, headers }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    call.once("error", reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

describe("berth network", () => {
  test("create, ls, inspect, rm speak as docker's do", async () => {
    const id = await engine.ok(["network", "create", "--subnet", "10.213.0.0/24", "--label", "a=b", "front"]);
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(await engine.ok(["network", "ls", "--filter", "name=front"])).toBe(
      `NETWORK ID     NAME      DRIVER    SCOPE\n${id.slice(0, 12)}   front     bridge    local`,
    );
    const [view] = JSON.parse(await engine.ok(["network", "inspect", id.slice(0, 8)]));
    expect(view).toMatchObject({
      Name: "front",
      Id: id,
      Driver: "bridge",
      EnableIPv4: true,
      EnableIPv6: false,
      IPAM: { Driver: "default", Options: {}, Config: [{ Subnet: "10.213.0.0/24", Gateway: "10.213.0.1" }] },
      Internal: false,
      Containers: {},
      Labels: { a: "b" },
    });
    expect(await engine.ok(["network", "ls", "-q", "--no-trunc", "-f", "type=custom", "-f", "label=a"])).toBe(id);
    expect(await engine.ok(["network", "ls", "-q", "-f", "dangling=false", "-f", "driver=null"])).toBe(
      await engine.ok(["network", "inspect", "-f", "{{slice .Id 0 12}}", "none"]),
    );
    expect(await engine.ok(["network", "rm", "front"])).toBe("front");
    expect(await engine.berth(["network", "rm", "-f", "front"])).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  });

  test("what is wrong is said in docker's words", async () => {
    await using _front = await network("front", "--subnet", "10.213.0.0/24");
    const said = "Error response from daemon:";
    expect(await failure("network", "create", "front")).toBe(`${said} network with name front already exists`);
    expect(await failure("network", "create", "host")).toBe(
      `${said} operation is not permitted on predefined host network`,
    );
    expect(await failure("network", "create", "-d", "x", "y")).toContain('plugin "x" not found');
    expect(await failure("network", "create", "--subnet", "10.213.0.128/25", "y")).toBe(
      `${said} invalid pool request: Pool overlaps with other one on this address space`,
    );
    expect(await failure("network", "create", "--gateway", "10.1.0.1", "y")).toBe(
      "every ip-range or gateway must have a corresponding subnet",
    );
    expect(await failure("network", "create", "-d", "macvlan", "y")).toContain("it needs a parent interface");
    expect(await failure("network", "create", "-o", "com.docker.network.internal=true", "y")).toContain(
      'option "com.docker.network.internal" is not supported by driver bridge: use --internal',
    );
    expect(await failure("network", "rm", "bridge")).toBe(
      `${said} bridge is a pre-defined network and cannot be removed`,
    );
    expect(await failure("network", "rm", "nope")).toBe(`${said} network nope not found`);
    expect(await failure("network", "connect", "nope", "x")).toBe(`${said} No such container: x`);
    expect(await engine.ok(["network", "ls", "-q", "-f", "name=^fron$"])).toBe("");
    expect(await engine.ok(["network", "ls", "--format", "{{.Name}}", "-f", "name=^fr.nt$"])).toBe("front");
    expect(await failure("network", "ls", "-f", "type=x")).toBe(`${said} invalid filter: 'type'='x'`);
    const { status, body } = await api("POST", "/networks/create", {
      Name: "y",
      IPAM: { Config: [{ Subnet: "10.1.0.5/24", Gateway: "10.2.0.1", IPRange: "10.1.0.0/8" }] },
    });
    expect([status, JSON.parse(body).message]).toEqual([
      400,
      "invalid network config:\ninvalid subnet 10.1.0.5/24: it should be 10.1.0.0/24\ninvalid ip-range 10.1.0.0/8: CIDR block is bigger than its parent subnet 10.1.0.0/24\ninvalid ip-range 10.1.0.0/8: it should be 10.0.0.0/8\ninvalid gateway 10.2.0.1: parent subnet 10.1.0.0/24 doesn't contain this address",
    ]);
    expect(await engine.ok(["network", "ls", "-q", "-f", "name=y"])).toBe("");
  });

  test("a network with running containers is in use; prune takes the others", async () => {
    await using _used = await network("used");
    await engine.ok(["network", "create", "--label", "mine", "unused"]);
    {
      await using _containers = await sleepers({ member: ["--network", "used"] });
      expect(await failure("network", "rm", "used")).toMatch(
        /error while removing network: network used has active endpoints \(name:"member" id:"[0-9a-f]{12}"\)$/,
      );
      const members = JSON.parse(await engine.ok(["network", "inspect", "-f", "{{json .Containers}}", "used"]));
      expect(Object.values(members)).toEqual([
        expect.objectContaining({
          Name: "member",
          IPv4Address: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+\/\d+$/),
          IPv6Address: "",
        }),
      ]);
      expect(await engine.ok(["network", "prune", "-f", "--filter", "label=other"])).toBe("");
      expect(await engine.ok(["network", "prune", "-f"])).toBe("Deleted Networks:\nunused");
      expect(await engine.ok(["ps", "-q", "-f", "network=used"])).not.toBe("");
    }
  });

  test("events come in docker's order with docker's attributes", async () => {
    const since = String(Date.now() / 1000);
    await engine.ok(["network", "create", "seen"]);
    await engine.ok(["run", "--rm", "--network", "seen", "--name", "watched", "busybox", "true"]);
    await engine.ok(["network", "rm", "seen"]);
    const format = '{{.Type}} {{.Action}} {{with index .Actor.Attributes "type"}}{{.}}{{end}}';
    const text = await engine.ok([
      "events",
      "--since",
      since,
      "--until",
      String(Date.now() / 1000),
      "--format",
      format,
    ]);
    const told = text.split("\n").map((line) => line.trim());
    expect(told.filter((line) => !line.startsWith("container attach"))).toEqual([
      "network create bridge",
      "container create",
      "network connect bridge",
      "container start",
      "container die",
      "network disconnect bridge",
      "container destroy",
      "network destroy bridge",
    ]);
  });
});

describe("a container's networks", () => {
  test("inspect has every field of each, and the old ones while it is on the default bridge", async () => {
    await using _net = await network("net", "--subnet", "10.214.0.0/24");
    await using _containers = await sleepers({
      many: [
        "--network",
        "name=net,alias=al,ip=10.214.0.9,gw-priority=1,mac-address=02:00:00:00:00:09",
        "--hostname",
        "hh",
      ],
      plain: [],
    });
    const settings = JSON.parse(await engine.ok(["inspect", "-f", "{{json .NetworkSettings}}", "many"]));
    expect([settings.IPAddress, settings.Gateway, settings.EndpointID]).toEqual(["", "", ""]);
    const id = await engine.ok(["inspect", "-f", "{{.Id}}", "many"]);
    expect(settings.Networks).toEqual({
      net: {
        IPAMConfig: { IPv4Address: "10.214.0.9" },
        Links: null,
        Aliases: ["al"],
        MacAddress: "02:00:00:00:00:09",
        DriverOpts: null,
        GwPriority: 1,
        NetworkID: await engine.ok(["network", "inspect", "-f", "{{.Id}}", "net"]),
        EndpointID: expect.stringMatching(/^[0-9a-f]{64}$/),
        Gateway: "10.214.0.1",
        IPAddress: "10.214.0.9",
        IPPrefixLen: 24,
        IPv6Gateway: "",
        GlobalIPv6Address: "",
        GlobalIPv6PrefixLen: 0,
        DNSNames: ["many", "al", id.slice(0, 12), "hh"],
      },
    });
    const plain = JSON.parse(await engine.ok(["inspect", "-f", "{{json .NetworkSettings}}", "plain"]));
    expect(plain.IPAddress).toBe(plain.Networks.bridge.IPAddress);
    expect(plain.Networks.bridge).toMatchObject({ DNSNames: null, Aliases: null, IPAMConfig: null });
  });

  test("connect and disconnect work while it runs, and are kept over a restart", async () => {
    await using _left = await network("left");
    await using _right = await network("right");
    await using _containers = await sleepers({ mover: ["--network", "left"], stayer: ["--network", "right"] });
    await engine.ok(["network", "connect", "--alias", "guest", "right", "mover"]);
    expect(await lookUp("stayer", "guest")).toBe(await addressOf("mover", "right"));
    expect(await failure("network", "connect", "right", "mover")).toContain(
      "endpoint with name mover already exists in network right",
    );
    await engine.ok(["restart", "-t", "0", "mover"]);
    expect(await lookUp("stayer", "guest")).toBe(await addressOf("mover", "right"));
    await engine.ok(["network", "disconnect", "left", "mover"]);
    expect(await engine.ok(["exec", "mover", "ip", "route"])).toContain("default via");
    const hosts = await engine.ok(["exec", "mover", "cat", "/etc/hosts"]);
    expect(hosts.split("\n").at(-1)).toStartWith(await addressOf("mover", "right"));
    expect(await failure("network", "disconnect", "left", "mover")).toContain("is not connected to the network left");
    await engine.ok(["stop", "-t", "0", "mover"]);
    await engine.ok(["network", "connect", "left", "mover"]);
    await engine.ok(["network", "disconnect", "right", "mover"]);
    await engine.ok(["start", "mover"]);
    expect(
      await engine.ok(["inspect", "-f", "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}", "mover"]),
    ).toBe("left");
  });

  test("modes and settings that do not go together are refused in docker's words", async () => {
    await using _auto = await network("auto");
    await using _containers = await sleepers({
      hosted: ["--network", "host"],
      alone: ["--network", "none"],
      usual: [],
    });
    expect(await failure("network", "connect", "auto", "hosted")).toContain(
      "container sharing network namespace with another container or host cannot be connected to any other network",
    );
    expect(await failure("network", "connect", "auto", "alone")).toContain(
      "with one of the networks in private (none) mode",
    );
    expect(await failure("network", "connect", "host", "usual")).toContain("cannot connect container to host network");
    expect((await engine.berth(["create", "--network", "auto", "--ip", "10.1.2.3", "busybox"])).stderr).toContain(
      "user specified IP address is supported only when connecting to networks with user configured subnets",
    );
    expect((await engine.berth(["create", "--ip", "10.1.2.3", "busybox"])).stderr).toContain(
      "user specified IP address is supported on user defined networks only",
    );
    expect(await failure("run", "--network", "nope", "busybox", "true")).toContain("network nope not found");
    await engine.ok(["container", "prune", "-f"]);
  });

  test("links of the default bridge are lines in /etc/hosts, variables and names, and follow a rename", async () => {
    await using _db = await sleepers({ database: ["-e", "PASSWORD=x", "--expose", "80-82", "--expose", "53/udp"] });
    await using _app = await sleepers({ app: ["--link", "database:my-sql", "--link", "database:sql"] });
    const env = await engine.ok(["exec", "app", "env"]);
    const address = await addressOf("database", "bridge");
    for (const line of [
      `MY_SQL_PORT=udp://${address}:53`,
      `MY_SQL_PORT_81_TCP_ADDR=${address}`,
      `MY_SQL_PORT_80_TCP_START=tcp://${address}:80`,
      "MY_SQL_PORT_80_TCP_PORT_END=82",
      "MY_SQL_NAME=/app/my-sql",
      "MY_SQL_ENV_PASSWORD=x",
    ])
      expect(env).toContain(line);
    expect(env).not.toContain("ENV_PATH");
    expect(await engine.ok(["inspect", "-f", "{{json .HostConfig.Links}}", "app"])).toBe(
      '["/database:/app/my-sql","/database:/app/sql"]',
    );
    const names = async (): Promise<readonly string[]> =>
      JSON.parse((await api("GET", "/containers/json")).body).find((one: { Names: string[] }) =>
        one.Names.includes("/database"),
      ).Names;
    expect(await names()).toEqual(["/database", "/app/my-sql", "/app/sql"]);
    expect((await api("DELETE", "/containers/app?link=1")).status).toBe(409);
    expect((await api("DELETE", "/containers/app/nope?link=1")).status).toBe(404);
    expect((await api("DELETE", "/containers/app/my-sql?link=1")).status).toBe(204);
    expect(await names()).toEqual(["/database", "/app/sql"]);
    await engine.ok(["rename", "database", "renamed"]);
    expect(await engine.ok(["inspect", "-f", "{{json .HostConfig.Links}}", "app"])).toBe('["/renamed:/app/sql"]');
    await engine.ok(["rename", "renamed", "database"]);
    expect(await engine.ok(["exec", "app", "cat", "/etc/hosts"])).toContain(
      `${await addressOf("database", "bridge")}\tsql `,
    );
    expect(await failure("create", "--link", "nobody", "busybox")).toContain("could not get container for nobody");
  });

  test("an internal network has no way out and no way in; its names are there", async () => {
    await using _inner = await network("inner", "--internal");
    await using _containers = await sleepers({
      vault: ["--network", "inner", "-p", "80"],
      peer: ["--network", "inner"],
    });
    expect(await engine.ok(["port", "vault"])).toBe("");
    expect(await engine.ok(["exec", "vault", "ip", "route"])).not.toContain("default");
    expect(await lookUp("peer", "vault")).toBe(await addressOf("vault", "inner"));
    expect(await lookUp("peer", "example.org")).toBe("SERVFAIL");
  });
});

describe("the name service", () => {
  test("finds names, aliases, links, short ids and hostnames, forward and back", async () => {
    await using _net = await network("names");
    await using _containers = await sleepers({
      first: ["--network", "names", "--network-alias", "both", "--hostname", "machine"],
      second: ["--network", "names", "--network-alias", "both", "--link", "first:other"],
      stranger: [],
    });
    const [first, second] = [await addressOf("first", "names"), await addressOf("second", "names")];
    const shortId = (await engine.ok(["inspect", "-f", "{{.Id}}", "first"])).slice(0, 12);
    for (const name of ["first", "FIRST", "machine", "other", shortId, "first.names"])
      expect(await lookUp("second", name)).toBe(first);
    expect(await lookUp("first", "both")).toBe([first, second].sort().join(" "));
    expect(await lookUp("second", first)).toBe("first.names");
    expect(await engine.ok(["exec", "second", "cat", "/etc/resolv.conf"])).toContain("\nnameserver 127.0.0.11\n");
    expect(await engine.ok(["exec", "stranger", "cat", "/etc/resolv.conf"])).not.toContain("127.0.0.11");
    await engine.ok(["rename", "first", "renamed"]);
    expect(await lookUp("second", "renamed")).toBe(first);
    expect(await lookUp("second", "first")).not.toBe(first);
    await engine.ok(["rename", "renamed", "first"]);
  });

  test("asks --dns for other names, over UDP and TCP, and passes on that there is none", async () => {
    const server = await dnsServer("127.0.0.153");
    await using _net = await network("outside");
    await using _containers = await sleepers({
      asker: ["--network", "outside", "--dns", "127.0.0.153", "--dns-search", "corp.example"],
    });
    try {
      expect(await lookUp("asker", "there.example")).toBe("192.0.2.7");
      expect(await lookUp("asker", "missing.example")).toBe("NXDOMAIN");
      expect(await engine.ok(["exec", "asker", "grep", "-v", "^#", "/etc/resolv.conf"])).toBe(
        "nameserver 127.0.0.11\nsearch corp.example\noptions ndots:0",
      );
      const path = await engine.ok(["inspect", "-f", "{{.NetworkSettings.SandboxKey}}", "asker"]);
      const query = encode({ type: "query", id: 9, flags: 256, questions: [{ type: "A", name: "there.example" }] });
      const length = Buffer.from([query.length >> 8, query.length & 255]);
      const asked = await run("nsenter", [`--net=${path}`, "socat", "-t", "3", "-", "TCP4:127.0.0.11:53"], {
        input: Buffer.concat([length, query]),
      });
      expect(asked.stdout).toContain("there");
    } finally {
      server.close();
    }
  });

  test("outlives the engine, is taken up by the next one, comes back when it dies, and ends with the last container", async () => {
    await using _net = await network("lasting");
    await using _containers = await sleepers({ here: ["--network", "lasting"], there: ["--network", "lasting"] });
    const there = await addressOf("there", "lasting");
    const path = await engine.ok(["inspect", "-f", "{{.NetworkSettings.SandboxKey}}", "here"]);
    const before = servicePid();
    await engine.crash();
    expect(
      execFileSync("nsenter", [`--net=${path}`, "busybox", "nslookup", "there", "127.0.0.11"], { encoding: "utf8" }),
    ).toContain(there);
    await engine.start();
    expect(servicePid()).toBe(before);
    expect(await lookUp("here", "there")).toBe(there);
    process.kill(before, "SIGKILL");
    for (let attempt = 0; attempt < 100 && [before, 0].includes(servicePid()); attempt++) await Bun.sleep(50);
    expect(servicePid()).not.toBe(before);
    for (let attempt = 0; attempt < 40 && (await lookUp("here", "there")) !== there; attempt++) await Bun.sleep(50);
    expect(await lookUp("here", "there")).toBe(there);
  });

  test("leaves port 53 of the container free for a name server of its own", async () => {
    await using _net = await network("own");
    await using _containers = await sleepers({ server: ["--network", "own"] });
    const path = await engine.ok(["inspect", "-f", "{{.NetworkSettings.SandboxKey}}", "server"]);
    const own = Bun.spawn(["nsenter", `--net=${path}`, "socat", "-u", "TCP4-LISTEN:53", "OPEN:/dev/null"], {
      stderr: "pipe",
    });
    await Bun.sleep(200);
    expect(own.exitCode).toBeNull();
    own.kill();
  });
});

/** The pid of this engine's name service; 0 if there is none. */
function servicePid(): number {
  for (const pid of execFileSync("ls", ["/proc"], { encoding: "utf8" })
    .split("\n")
    .filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      if (words[1] === "name-service" && words[2]?.startsWith(engine.execRoot)) return Number(pid);
    } catch {
      // It has ended since.
    }
  }
  return 0;
}

/** A name server that knows there.example and nothing else. */
async function dnsServer(address: string): Promise<{ close(): void }> {
  const answerTo = (bytes: Buffer): Buffer => {
    const query = decode(bytes);
    const [question] = query.questions ?? [];
    const isKnown = question?.name === "there.example";
    return encode({
      type: "response",
      id: query.id ?? 0,
      flags: isKnown ? 0x0180 : 0x0183,
      questions: query.questions ?? [],
      answers:
        isKnown && question.type === "A" ? [{ type: "A", name: "there.example", ttl: 5, data: "192.0.2.7" }] : [],
    });
  };
  const udp = await Bun.udpSocket({
    hostname: address,
    port: 53,
    socket: { data: (socket, bytes, port, from) => void socket.send(answerTo(Buffer.from(bytes)), port, from) },
  });
  const tcp = Bun.listen({
    hostname: address,
    port: 53,
    socket: {
      data: (socket, bytes) => {
        const answer = answerTo(Buffer.from(bytes.subarray(2)));
        socket.write(Buffer.concat([Buffer.from([answer.length >> 8, answer.length & 255]), answer]));
      },
    },
  });
  return {
    close: () => {
      udp.close();
      tcp.stop(true);
    },
  };
}
