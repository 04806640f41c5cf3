/** dockerode, the API client of most Node tools, against the engine of DOCKER_HOST. The image `busybox` is there. Run under Node, see testcontainers.mjs. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import Docker from "dockerode";

const docker = new Docker();
const IMAGE = "busybox:latest";

async function textOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Creates a container, hands it to `work`, removes it. */
async function withContainer(settings, work) {
  const container = await docker.createContainer({ Image: IMAGE, Cmd: ["sleep", "100"], ...settings });
  try {
    return await work(container);
  } finally {
    await container.remove({ force: true, v: true });
  }
}

/** The two streams of a multiplexed connection, once it has ended. */
async function demuxed(stream) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, out, err);
  stream.once("end", () => {
    out.end();
    err.end();
  });
  return Promise.all([textOf(out), textOf(err)]);
}

test("attach with hijack: stdin ends, both streams come back apart, the exit code follows", () =>
  withContainer(
    { Cmd: ["sh", "-c", "cat; echo err >&2; exit 4"], OpenStdin: true, StdinOnce: true, AttachStdin: true },
    async (container) => {
      const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
      const output = demuxed(stream);
      const exit = container.wait({ condition: "next-exit" });
      await container.start();
      stream.end("typed\n");
      assert.deepEqual(await output, ["typed\n", "err\n"]);
      assert.equal((await exit).StatusCode, 4);
    },
  ));

test("a terminal is raw, and can be resized", () =>
  withContainer({ Cmd: ["sh"], Tty: true, OpenStdin: true }, async (container) => {
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, hijack: true });
    const output = textOf(stream);
    await container.start();
    await container.resize({ h: 33, w: 99 });
    stream.write("stty size; exit\n");
    assert.match(await output, /33 99/);
  }));

test("exec with stdin over a hijacked connection", () =>
  withContainer({}, async (container) => {
    await container.start();
    const exec = await container.exec({ Cmd: ["cat"], AttachStdin: true, AttachStdout: true, AttachStderr: true });
    const stream = await exec.start({ hijack: true, stdin: true });
    const output = demuxed(stream);
    stream.end("through cat\n");
    assert.deepEqual(await output, ["through cat\n", ""]);
    assert.deepEqual(await exec.inspect().then(({ Running, ExitCode }) => [Running, ExitCode]), [false, 0]);
  }));

test("run() pipes output and gives the status", async () => {
  const output = new PassThrough();
  const text = textOf(output);
  const [{ StatusCode }, container] = await docker.run(IMAGE, ["echo", "hello"], output, { Tty: false });
  output.end();
  assert.equal(StatusCode, 0);
  assert.match(await text, /hello/);
  await container.remove();
});

test("stats stream one sample after another", () =>
  withContainer({}, async (container) => {
    await container.start();
    const stream = await container.stats({ stream: true });
    const [first] = await once(stream, "data");
    assert.equal(JSON.parse(first.toString()).id, container.id);
    stream.destroy();
  }));

test("archives go in and out", () =>
  withContainer({}, async (container) => {
    const archive = await container.getArchive({ path: "/etc/passwd" });
    await container.putArchive(archive, { path: "/tmp" });
    await container.start();
    const exec = await container.exec({ Cmd: ["cmp", "/etc/passwd", "/tmp/passwd"], AttachStdout: true });
    await textOf(await exec.start({}));
    assert.equal((await exec.inspect()).ExitCode, 0);
  }));

test("events of a label arrive while they happen", async () => {
  const events = await docker.getEvents({ filters: { type: ["container"], label: ["watched=dockerode"] } });
  const seen = [];
  const done = new Promise((resolve) => {
    events.on("data", (chunk) => {
      for (const line of chunk.toString().split("\n").filter(Boolean)) seen.push(JSON.parse(line).Action);
      if (seen.includes("destroy")) resolve();
    });
  });
  await withContainer({ Labels: { watched: "dockerode" } }, (container) => container.start());
  await done;
  events.destroy();
  assert.deepEqual(seen, ["create", "start", "kill", "die", "destroy"]);
});

test("errors carry Docker's status and words", async () => {
  await assert.rejects(docker.getContainer("nobody").inspect(), { statusCode: 404, reason: "no such container" });
  await withContainer({ name: "taken" }, async () => {
    await assert.rejects(docker.createContainer({ Image: IMAGE, name: "taken" }), { statusCode: 409 });
  });
  await assert.rejects(docker.getImage("nothing").inspect(), { statusCode: 404 });
});

test("networks connect and disconnect, volumes come and go", async () => {
  const network = await docker.createNetwork({ Name: "by-dockerode", Labels: { a: "b" } });
  const volume = await docker.createVolume({ Name: "by-dockerode" });
  try {
    await withContainer({ HostConfig: { Binds: ["by-dockerode:/data"] } }, async (container) => {
      await network.connect({ Container: container.id, EndpointConfig: { Aliases: ["other"] } });
      await container.start();
      const { NetworkSettings } = await container.inspect();
      assert.deepEqual(Object.keys(NetworkSettings.Networks).sort(), ["bridge", "by-dockerode"]);
      await network.disconnect({ Container: container.id });
    });
  } finally {
    await network.remove();
    await volume.remove();
  }
});
