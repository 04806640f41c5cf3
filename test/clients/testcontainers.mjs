/**
 * Testcontainers for Node, as its users use it, against the engine of DOCKER_HOST. The image `busybox` is there. Run by clients.test.ts under Node:
 * the hijacked connections of its client are Node's.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { GenericContainer, Network, Wait } from "testcontainers";

const IMAGE = "busybox:latest";
const SERVER = ["sh", "-c", "mkdir -p /www; echo hello > /www/index.html; echo ready; httpd -f -v -p 80 -h /www"];
let directory;
let awake;

before(() => {
  directory = mkdtempSync(join(tmpdir(), "testcontainers-"));
  // Sockets of log streams do not keep the process: the library lets go of them.
  awake = setInterval(() => undefined, 1000);
});
after(() => {
  clearInterval(awake);
  rmSync(directory, { recursive: true });
});

const busybox = (...command) => new GenericContainer(IMAGE).withCommand(command);
const server = () => busybox(...SERVER).withExposedPorts(80);

/** Starts a container or a network, and stops it behind `work`, whatever happens. */
async function during(startable, work) {
  const started = await startable.start();
  try {
    return await work(started);
  } finally {
    await started.stop();
  }
}

async function textOf(stream) {
  let text = "";
  for await (const chunk of stream) text += chunk;
  return text;
}

test("GenericContainer publishes a port, waits for it, and stops", () =>
  during(server(), async (container) => {
    const response = await fetch(`http://${container.getHost()}:${container.getMappedPort(80)}/`);
    assert.equal(await response.text(), "hello\n");
    assert.match(container.getId(), /^[0-9a-f]{64}$/);
  }));

for (const [name, strategy] of [
  ["a log message", () => Wait.forLogMessage("ready")],
  ["http", () => Wait.forHttp("/", 80)],
  ["a successful command", () => Wait.forSuccessfulCommand("test -f /www/index.html")],
  ["ports and a message", () => Wait.forAll([Wait.forLogMessage("ready"), Wait.forListeningPorts()])],
]) {
  test(`GenericContainer waits for ${name}`, () =>
    during(server().withWaitStrategy(strategy()), async () => undefined));
}

test("GenericContainer waits for a health check, and for one that ends", async () => {
  const healthy = server()
    .withHealthCheck({ test: ["CMD-SHELL", "test -f /www/index.html"], interval: 200, retries: 10 })
    .withWaitStrategy(Wait.forHealthCheck());
  await during(healthy, async () => undefined);
  await during(busybox("true").withWaitStrategy(Wait.forOneShotStartup()), async () => undefined);
});

test("a container that does not become ready is an error that is told in time", async () => {
  const never = busybox("sleep", "100").withWaitStrategy(Wait.forLogMessage("never")).withStartupTimeout(500);
  await assert.rejects(never.start(), /never/);
});

test("exec() gives output, stderr apart, exit code, user, directory and environment", () =>
  during(busybox("sleep", "100"), async (container) => {
    const both = await container.exec(["sh", "-c", "echo out; echo err >&2; exit 3"]);
    assert.deepEqual([both.exitCode, both.stdout, both.stderr], [3, "out\n", "err\n"]);
    const settings = { workingDir: "/tmp", user: "1000", env: { A: "b" } };
    assert.equal((await container.exec(["sh", "-c", "pwd; id -u; echo $A"], settings)).output, "/tmp\n1000\nb\n");
  }));

test("logs() streams what the container prints, to its end", () =>
  during(busybox("sh", "-c", "seq 1 1000; sleep 0.2"), async (container) => {
    const lines = (await textOf(await container.logs())).trim().split("\n");
    assert.deepEqual([lines.length, lines.at(-1)], [1000, "1000"]);
  }));

test("files go in before the start, in and out while it runs", async () => {
  const path = join(directory, "file.txt");
  writeFileSync(path, "from a file\n");
  const filled = busybox("sleep", "100")
    .withCopyFilesToContainer([{ source: path, target: "/in/file.txt" }])
    .withCopyContentToContainer([{ content: "content\n", target: "/in/content.txt", mode: 0o600 }]);
  await during(filled, async (container) => {
    const output = async (...command) => (await container.exec(command)).output;
    assert.equal(await output("cat", "/in/file.txt", "/in/content.txt"), "from a file\ncontent\n");
    assert.equal(await output("stat", "-c", "%a", "/in/content.txt"), "600\n");
    await container.copyDirectoriesToContainer([{ source: directory, target: "/dir" }]);
    assert.equal(await output("cat", "/dir/file.txt"), "from a file\n");
    assert.match(await textOf(await container.copyArchiveFromContainer("/in/file.txt")), /from a file/);
  });
});

test("containers of a network reach one another by alias", () =>
  during(new Network(), async (network) => {
    const web = server().withNetwork(network).withNetworkAliases("web").withWaitStrategy(Wait.forLogMessage("ready"));
    await during(web, async (started) => {
      assert.match(started.getIpAddress(network.getName()), /^\d+\./);
      await during(busybox("sleep", "100").withNetwork(network), async (client) => {
        assert.equal((await client.exec(["wget", "-qO-", "http://web/"])).output, "hello\n");
      });
    });
  }));

for (const buildKit of [false, true]) {
  test(`GenericContainer.fromDockerfile() builds ${buildKit ? "with BuildKit" : "classically"}`, async () => {
    writeFileSync(
      join(directory, "Dockerfile"),
      `FROM ${IMAGE}\nARG WHO\nRUN echo "$WHO" > /who\nCMD ["sleep", "100"]\n`,
    );
    const builder = GenericContainer.fromDockerfile(directory).withBuildArgs({ WHO: `me-${buildKit}` });
    const image = await (buildKit ? builder.withBuildkit() : builder).build(`built-${buildKit}:1`, {
      deleteOnExit: false,
    });
    await during(image, async (container) => {
      assert.equal((await container.exec(["cat", "/who"])).output, `me-${buildKit}\n`);
    });
  });
}

test("limits, tmpfs, binds, labels, entrypoint, extra hosts and restart reach the container", () => {
  const full = new GenericContainer(IMAGE)
    .withEntrypoint(["sh", "-c"])
    .withCommand(["sleep 100"])
    .withTmpFs({ "/scratch": "rw,size=1m" })
    .withBindMounts([{ source: directory, target: "/host", mode: "ro" }])
    .withLabels({ color: "red" })
    .withEnvironment({ A: "b" })
    .withExtraHosts([{ host: "db", ipAddress: "10.1.2.3" }])
    .withResourcesQuota({ memory: 0.0625, cpu: 0.5 })
    .withUlimits({ nofile: { soft: 200, hard: 200 } })
    .withSharedMemorySize(8 * 1024 * 1024)
    .withAddedCapabilities("SYS_TIME")
    .withDroppedCapabilities("CHOWN")
    .withHostname("box");
  return during(full, async (container) => {
    const script =
      "hostname; ulimit -n; grep db /etc/hosts; df -m /scratch | tail -1 | awk '{print $2}'; touch /host/x 2>&1; echo $A";
    assert.equal(
      (await container.exec(["sh", "-c", script])).output,
      "box\n200\n10.1.2.3\tdb\n1\ntouch: /host/x: Read-only file system\nb\n",
    );
    await container.restart();
    assert.equal((await container.exec(["hostname"])).output, "box\n");
  });
});
