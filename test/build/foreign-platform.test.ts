/** RUN for a platform that the machine has not, through an emulator that its kernel knows. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeContext } from "../../tools/harness/busybox.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

/** What tools/foreign-programs.sh fetches. */
const FOREIGN = join(import.meta.dirname, "..", "..", ".cache", "foreign");
const EMULATOR = join(FOREIGN, "qemu-aarch64");
const isPossible = existsSync(EMULATOR) && readFileSync("/proc/filesystems", "utf8").includes("binfmt_misc");

/** As Debian's package registers it: how programs of arm64 begin, and flags: argv[0] stays (P), opened once for all containers (F). */
const REGISTRATION = [
  "berth-test-arm64",
  "M",
  "",
  String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`,
  String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`,
  EMULATOR,
  "POCF",
].join(":");

/** In a mount namespace of the engine's own: the kernel forgets what was registered with its last mount, which ends with the engine. */
const REGISTER =
  'mount -t binfmt_misc none /proc/sys/fs/binfmt_misc && printf %s "$0" > /proc/sys/fs/binfmt_misc/register && exec "$@"';

let engine: PrivateEngine;

beforeAll(async () => {
  if (!isPossible) return;
  const namespace = ["unshare", "--mount", "--propagation", "private"];
  engine = await PrivateEngine.start({ wrapper: [...namespace, "sh", "-c", REGISTER, `:${REGISTRATION}`] });
}, 60_000);

afterAll(() => engine?.close(), 60_000);

describe.skipIf(!isPossible)("a platform with an emulator", () => {
  test("has its commands run, and theirs, in builds and in containers", async () => {
    await using context = makeContext({
      busybox: readFileSync(join(FOREIGN, "busybox-arm64")),
      Dockerfile: [
        "FROM scratch",
        "COPY --chmod=755 busybox /bin/busybox",
        'RUN ["/bin/busybox", "sh", "-c", "/bin/busybox --install -s /bin"]',
        "RUN uname -m > /machine && sh -c 'echo a child on $(/bin/uname -m) >> /machine'",
      ].join("\n"),
    });
    await engine.ok(["build", "-q", "--platform", "linux/arm64", "-t", "foreign", context.path]);
    const run = ["run", "--rm", "--network", "none", "--platform", "linux/arm64"];
    expect(await engine.ok([...run, "foreign", "cat", "/machine"])).toBe("aarch64\na child on aarch64");
    expect(await engine.ok([...run, "--user", "7", "foreign", "id", "-u"])).toBe("7");
  });

  test("without one is refused", async () => {
    await using context = makeContext({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\nRUN true\n" });
    const { stderr } = await engine.berth(["build", "--platform", "linux/s390x", context.path]);
    expect(stderr).toContain("cannot run commands for linux/s390x on this machine");
  });
});
