/** Containers that use one another: links, namespaces, volumes. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

let engine: PrivateEngine;

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(() => engine.close(), 120_000);

/** Status and body of a call. */
async function api(
  method: string,
  path: string,
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const response = await fetch(`http://engine${path}`, { unix: engine.socket, method });
  const text = await response.text();
  return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
}

describe("containers that use one another", () => {
  test("links follow a container that starts again with another address", async () => {
    await engine.ok(["run", "-d", "--name", "linked", "busybox", "top"]);
    await engine.ok(["run", "-d", "--name", "linking", "--link", "linked:alias", "busybox", "top"]);
    await engine.ok(["exec", "linking", "sh", "-c", "echo 192.0.2.1 own >> /etc/hosts"]);
    const address = (): Promise<string> =>
      engine.ok(["inspect", "-f", "{{.NetworkSettings.Networks.bridge.IPAddress}}", "linked"]);
    const before = await address();
    await engine.ok(["stop", "-t", "0", "linked"]);
    await engine.ok(["run", "-d", "--name", "taker", "busybox", "top"]);
    await engine.ok(["start", "linked"]);
    const now = await address();
    expect(now).not.toBe(before);
    const hosts = await engine.ok(["exec", "linking", "cat", "/etc/hosts"]);
    expect(hosts).toMatch(new RegExp(`^${now.replaceAll(".", "\\.")}\talias .*linked$`, "m"));
    expect(hosts).not.toContain(`${before}\t`);
    expect(hosts).toContain("192.0.2.1 own");
    // A link is a name of the container behind it.
    const { body: behind } = await api("GET", "/v1.51/containers/linking/alias/json");
    expect(behind["Name"]).toBe("/linked");
    expect((await api("GET", "/v1.51/containers/linking/other/json")).status).toBe(404);
    await engine.ok(["rm", "-f", "linking", "linked", "taker"]);
  });

  test("a link needs a container of the default bridge", async () => {
    await engine.ok(["network", "create", "elsewhere"]);
    await engine.ok(["run", "-d", "--name", "away", "--network", "elsewhere", "busybox", "top"]);
    const { exitCode, stderr } = await engine.berth(["run", "--rm", "--link", "away:x", "busybox", "true"]);
    expect([exitCode, stderr]).toEqual([
      125,
      expect.stringContaining("Cannot link to /away, as it does not belong to the default network"),
    ]);
    const mapped = await engine.berth(["run", "--rm", "--network", "elsewhere", "--ip6", "::ffff:10.1.2.3", "busybox"]);
    expect(mapped.stderr).toContain("invalid IPv6 address: ::ffff:10.1.2.3");
    // One in another's network has no address of its own: there is nothing to write.
    await engine.ok(["run", "-d", "--name", "inside", "--network", "container:away", "busybox", "top"]);
    await engine.ok(["run", "--rm", "--link", "inside:x", "busybox", "true"]);
    await engine.ok(["rm", "-f", "inside", "away"]);
    await engine.ok(["network", "rm", "elsewhere"]);
  });

  test("a container that shares its IPC namespace shares /dev/shm with it, across an engine's restart, and leaves no mount", async () => {
    await engine.ok(["run", "-d", "--name", "donor", "--ipc", "shareable", "--shm-size", "8m", "busybox", "top"]);
    const guest = (command: string): Promise<string> =>
      engine.ok(["run", "--rm", "--ipc", "container:donor", "busybox", "sh", "-c", command]);
    expect(await guest("echo kept > /dev/shm/file; df -k /dev/shm | grep -c ' 8192 '")).toBe("1");
    await engine.stop();
    await engine.start();
    expect(await guest("cat /dev/shm/file")).toBe("kept");
    expect(await engine.ok(["exec", "donor", "cat", "/dev/shm/file"])).toBe("kept");
    await engine.ok(["stop", "-t", "0", "donor"]);
    const { exitCode, stderr } = await engine.berth(["run", "--rm", "--ipc", "container:donor", "busybox", "true"]);
    expect([exitCode, stderr]).toEqual([
      125,
      expect.stringMatching(/failed to join IPC namespace: container [0-9a-f]{64} is not running/),
    ]);
    await engine.ok(["start", "donor"]);
    expect(await guest("ls /dev/shm")).toBe("");
    await engine.ok(["rm", "-f", "donor"]);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(`${engine.execRoot}/bundles`);
  });

  test("of several --volumes-from the last counts", async () => {
    for (const name of ["first", "second"])
      await engine.ok(["run", "--name", name, "-v", "/data", "busybox", "touch", `/data/${name}`]);
    const from = ["--volumes-from", "first", "--volumes-from", "second"];
    expect(await engine.ok(["run", "--rm", ...from, "busybox", "ls", "/data"])).toBe("second");
    await engine.ok(["rm", "-v", "first", "second"]);
  });

  test("rm -v takes anonymous volumes with the last container that has them, --volumes-from or not", async () => {
    await engine.ok(["run", "-d", "--name", "owner", "-v", "/anonymous", "-v", "named:/named", "busybox", "top"]);
    await engine.ok(["run", "-d", "--name", "heir", "--volumes-from", "owner", "busybox", "top"]);
    const volumes = async (): Promise<number> => (await engine.ok(["volume", "ls", "-q"])).split("\n").length;
    const all = await volumes();
    await engine.ok(["rm", "-f", "owner"]);
    expect(await volumes()).toBe(all);
    await engine.ok(["rm", "-fv", "heir"]);
    expect(await volumes()).toBe(all - 1);
    await engine.ok(["volume", "rm", "named"]);
  });

  test("refuses a container the network of itself", async () => {
    await engine.ok(["create", "--name", "self", "--network", "container:self", "busybox"]);
    const { status, body: problem } = await api("POST", "/containers/self/start");
    expect([status, problem["message"]]).toEqual([409, expect.stringContaining("cannot join own network namespace")]);
    await engine.ok(["rm", "self"]);
  });
});
