import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatHost } from "./hosts.ts";
import { parseDaemonOptions } from "./options.ts";

let directory: string;
/** An empty file, so that one of this machine's own is not read. */
let noConfig: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-options-"));
  noConfig = configFile("none.json", {});
});
afterAll(() => rmSync(directory, { recursive: true }));

function configFile(name: string, content: unknown): string {
  const path = join(directory, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

function parse(...args: readonly string[]): ReturnType<typeof parseDaemonOptions> {
  return parseDaemonOptions(["--config-file", noConfig, ...args]);
}

describe("parseDaemonOptions()", () => {
  test("gives Docker's defaults with Berth's names", () => {
    expect(parse()).toMatchObject({
      dataRoot: "/var/lib/berth",
      execRoot: "/run/berth",
      hosts: [{ kind: "unix", path: "/run/berth/berth.sock" }],
      tls: undefined,
      logLevel: "info",
      maxConcurrentDownloads: 6,
    });
  });

  test("puts the socket into the exec root, unless told where", () => {
    const hosts = (...words: string[]): string[] => parse(...words).hosts.map(formatHost);
    expect(hosts("--exec-root", "/tmp/x/")).toEqual(["unix:///tmp/x/berth.sock"]);
    expect(hosts("-H", "unix:///a.sock", "-H", "tcp://10.0.0.1")).toEqual(["unix:///a.sock", "tcp://10.0.0.1:2375"]);
    expect(hosts("-H", "tcp://:99", "-H", "tcp://[::1]:98")).toEqual(["tcp://localhost:99", "tcp://[::1]:98"]);
    expect(hosts("--tlsverify", "-H", "tcp://0.0.0.0")).toEqual(["tcp://0.0.0.0:2376"]);
    expect(parse("--tlsverify", "--tlscert", "/c").tls).toMatchObject({ cert: "/c", verify: true });
    expect(parse("--tls").tls).toMatchObject({ verify: false });
  });

  test("takes the name of an OCI runtime that Berth knows", () => {
    expect(parse().runtime).toBeUndefined();
    expect(parse("--default-runtime", "crun").runtime).toBe("crun");
    expect(() => parse("--default-runtime", "nope")).toThrow("specified default runtime 'nope' does not exist");
  });

  test("takes -D and the file's debug for the log level, as dockerd", () => {
    expect(parse("-D")).toMatchObject({ logLevel: "debug" });
    const file = configFile("debug.json", { debug: true, "log-level": "warn" });
    expect(parseDaemonOptions(["--config-file", file])).toMatchObject({ logLevel: "debug" });
    expect(() => parseDaemonOptions(["--config-file", configFile("odd.json", { debug: "yes" })])).toThrow('"debug"');
  });

  test("lets flags win over the configuration file", () => {
    const file = configFile("both.json", {
      "data-root": "/from/file",
      "log-level": "warn",
      "registry-mirrors": ["http://127.0.0.1:5000/"],
      "max-concurrent-downloads": 3,
      "max-concurrent-uploads": 2,
    });
    expect(parseDaemonOptions(["--config-file", file, "--data-root", "/from/flag"])).toMatchObject({
      dataRoot: "/from/flag",
      logLevel: "warn",
      registryMirrors: ["http://127.0.0.1:5000"],
      maxConcurrentDownloads: 3,
      maxConcurrentUploads: 2,
    });
  });

  test.each([
    [["--data-root", "relative"], 'invalid value "relative" for --data-root: expected an absolute path'],
    [["-H", "fd://"], "sockets of systemd are not supported: name one with unix:// or tcp://"],
    [["-H", "npipe:////./pipe/x"], "only unix:// and tcp:// are supported"],
    [["-H", "tcp://0.0.0.0:99999"], "expected tcp://HOST:PORT"],
    [["-H", "unix://relative"], "expected an absolute path"],
    [["--log-level", "loud"], 'invalid value "loud" for --log-level'],
    [["--max-concurrent-downloads", "0"], "expected a number from 1 to 64"],
    [["--registry-mirror", "ftp://x"], 'unsupported scheme "ftp"'],
    [["--nope"], "See 'berth daemon --help'."],
    [["extra"], "See 'berth daemon --help'."],
  ])("refuses %j", (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });

  test.each([
    ["not JSON", "{", "unable to configure the engine with file"],
    ["a list", [], "expected a JSON object"],
    ["an unknown key", { storage: 1 }, "the following directives don't match any configuration option: storage"],
    ["a wrong type", { hosts: "unix:///x" }, 'invalid value for "hosts" in the configuration file'],
  ])("refuses a configuration file with %s", (name, content, message) => {
    const file = configFile(`${name}.json`, content);
    expect(() => parseDaemonOptions(["--config-file", file])).toThrow(message);
  });

  test("takes the containers' log driver and options from flags or file, and refuses what no container could have", () => {
    expect(parse().logDefaults).toEqual({ driver: "json-file", options: {} });
    const file = configFile("log.json", { "log-driver": "local", "log-opts": { "max-size": "5m" } });
    expect(parseDaemonOptions(["--config-file", file]).logDefaults).toEqual({
      driver: "local",
      options: { "max-size": "5m" },
    });
    expect(parseDaemonOptions(["--config-file", file, "--log-opt", "max-file=2"]).logDefaults.options).toEqual({
      "max-file": "2",
    });
    expect(() => parse("--log-opt", "x=1")).toThrow(
      "failed to set log opts: unknown log opt 'x' for json-file log driver",
    );
    expect(() => parse("--log-opt", "x")).toThrow('invalid value "x" for --log-opt: expected NAME=VALUE');
    expect(() => parse("--log-driver", "syslog")).toThrow('log driver "syslog" is not supported');
    const wrong = configFile("wrong-log.json", { "log-opts": { "max-file": 3 } });
    expect(() => parseDaemonOptions(["--config-file", wrong])).toThrow("expected a string, not 3");
  });

  test("wants the configuration file that was named", () => {
    expect(() => parseDaemonOptions(["--config-file", join(directory, "gone.json")])).toThrow("no such file");
  });
});
