import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DaemonOptions, parseDaemonCommand, parseDaemonOptions } from "./daemon-options.ts";
import { formatHost } from "./hosts.ts";

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

function parse(...args: readonly string[]): DaemonOptions {
  return parseDaemonOptions(["--config-file", noConfig, ...args]);
}

function parseFile(content: unknown, ...args: readonly string[]): DaemonOptions {
  return parseDaemonOptions(["--config-file", configFile("some.json", content), ...args]);
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
      liveRestore: true,
      labels: [],
      network: {
        bridge: { existing: "", options: {}, ipv6: undefined },
        pools: undefined,
        firewall: { ipv4: true, ipv6: true },
        relay: true,
        forward: true,
      },
      containers: {
        logs: { driver: "json-file", options: {} },
        shmSize: 64 * 1024 * 1024,
        ipcMode: "private",
        cgroupnsMode: "",
        init: false,
        noNewPrivileges: false,
        seccompProfile: "default",
      },
    });
  });

  test("puts the socket into the exec root, unless told where", () => {
    const hosts = (...words: string[]): string[] => parse(...words).hosts.map(formatHost);
    expect(hosts("--exec-root", "/tmp/x/")).toEqual(["unix:///tmp/x/berth.sock"]);
    expect(hosts("-H", "unix:///a.sock", "-H", "tcp://10.0.0.1")).toEqual(["unix:///a.sock", "tcp://10.0.0.1:2375"]);
    expect(hosts("-H", "tcp://:99", "-H", "tcp://[::1]:98")).toEqual(["tcp://localhost:99", "tcp://[::1]:98"]);
    expect(hosts("--tlsverify", "-H", "tcp://0.0.0.0")).toEqual(["tcp://0.0.0.0:2376"]);
    expect(hosts("-H", "0.0.0.0:23", "-H", "[::1]:98", "-H", ":97")).toEqual([
      "tcp://0.0.0.0:23",
      "tcp://[::1]:98",
      "tcp://localhost:97",
    ]);
    expect(parse("--tlsverify", "--tlscert", "/c").tls).toMatchObject({ cert: "/c", verify: true });
    expect(parse("--tls").tls).toMatchObject({ verify: false });
  });

  test("takes OCI runtimes from flags and file together, and the name of the default one", () => {
    expect(parse().runtimes).toEqual({ defaultName: "", added: new Map() });
    expect(parse("--default-runtime", "crun").runtimes.defaultName).toBe("crun");
    const file = { mine: { path: "/opt/runc", runtimeArgs: ["--debug"] }, crun: { path: "/opt/crun" } };
    expect(parseFile({ runtimes: file, "default-runtime": "mine" }, "--add-runtime", "Foo = /x").runtimes).toEqual({
      defaultName: "mine",
      added: new Map([
        ["mine", { path: "/opt/runc", args: ["--debug"] }],
        ["crun", { path: "/opt/crun", args: [] }],
        ["foo", { path: "/x", args: [] }],
      ]),
    });
    expect(
      parseFile({ runtimes: { a: { path: "a", runtimeArgs: ["--systemd-cgroup=false"] } } }).runtimes.added.size,
    ).toBe(1);
  });

  test.each([
    [["--default-runtime", "nope"], "specified default runtime 'nope' does not exist"],
    [["--default-runtime", "constructor"], "specified default runtime 'constructor' does not exist"],
    [["--add-runtime", "runc=/x"], "runtime name 'runc' is reserved"],
    [["--add-runtime", "foo"], "invalid runtime argument: foo"],
    [["--add-runtime", "foo= "], "invalid runtime argument: foo= "],
    [["--add-runtime", "a=/x", "--add-runtime", "A=/y"], "runtime 'a' was already defined"],
  ])("refuses the runtimes of %j", (words, message) => {
    expect(() => parse(...words)).toThrow(message);
  });

  test.each([
    [{ runc: { path: "/x" } }, "runtime name 'runc' is reserved"],
    [{ "io.containerd.x.v2": { path: "/x" } }, "runtime name 'io.containerd.x.v2' is reserved"],
    [{ "": { path: "/x" } }, "a runtime has no name"],
    [{ a: {} }, "runtime a: either a runtimeType or a path must be configured"],
    [
      { a: { runtimeType: "io.containerd.kata.v2" } },
      "runtime a: runtimeType names a shim of containerd: give its path",
    ],
    [{ a: { path: "/a", options: { x: 1 } } }, "runtime a: options cannot be used with a path runtime"],
    [{ a: { path: "/a", runtimeArgs: ["--systemd-cgroup"] } }, "runtime a: --systemd-cgroup: Berth names the cgroups"],
    [{ a: { path: 1 } }, "cannot unmarshal number"],
    [{ a: { path: "/a", runtimeArgs: "-x" } }, "cannot unmarshal string"],
  ])("refuses the runtimes %j of daemon.json", (runtimes, message) => {
    expect(() => parseFile({ runtimes })).toThrow(message);
  });

  test("takes -D and the file's debug for the log level, as dockerd", () => {
    expect(parse("-D")).toMatchObject({ logLevel: "debug" });
    expect(parseFile({ debug: true, "log-level": "warn" })).toMatchObject({ logLevel: "debug" });
    expect(() => parseFile({ debug: "yes" })).toThrow(
      "json: cannot unmarshal string into Go struct field Config.debug of type bool",
    );
  });

  test("reads flags as pflag does", () => {
    expect(parse("--icc=false", "-lwarn", "--mtu=1400").network.bridge?.options).toEqual({
      "com.docker.network.bridge.enable_icc": "false",
      "com.docker.network.driver.mtu": "1400",
    });
    expect(parse("-lwarn").logLevel).toBe("warn");
    expect(parse("-D=false").logLevel).toBe("info");
    expect(parse("--dns", "1.1.1.1,9.9.9.9", "--dns=::1").containers.dns).toEqual(["1.1.1.1", "9.9.9.9", "::1"]);
    const help = parseDaemonCommand(["--nope-is-not-read", "--help"].slice(1));
    expect(help.kind).toBe("help");
    expect(parseDaemonCommand(["-v"]).kind).toBe("version");
    expect(parseDaemonCommand(["--config-file", noConfig, "--validate"]).kind).toBe("validate");
  });

  test.each([
    [["--nope"], "unknown flag: --nope\nSee 'berth daemon --help'."],
    [["-Z"], "unknown shorthand flag: 'Z' in -Z"],
    [["extra"], '"berth daemon" accepts no arguments.'],
    [["--icc", "false"], '"berth daemon" accepts no arguments.'],
    [["--bip"], "flag needs an argument: --bip"],
    [["--icc=x"], 'invalid argument "x" for "--icc" flag: strconv.ParseBool: parsing "x": invalid syntax'],
    [["--mtu", "x"], 'invalid argument "x" for "--mtu" flag: strconv.ParseInt: parsing "x": invalid syntax'],
    [["--ip", "x"], 'invalid argument "x" for "--ip" flag: failed to parse IP: "x"'],
    [["--dns", "x"], 'invalid argument "x" for "--dns" flag: invalid string being converted to IP address: x'],
    [["--default-shm-size", "z"], "invalid size: 'z'"],
    [["--default-ulimit", "nofile=10:5"], "ulimit soft limit must be less than or equal to hard limit: 10 > 5"],
    [["--default-ulimit", "foo=10"], "invalid ulimit type: foo"],
    [["--default-network-opt", "x"], 'invalid value "x" for map option, should be root-key=key=value'],
    [["--default-address-pool", "x"], "invalid field 'x' must be a key=value pair"],
    [["--builder", "x"], "unknown flag: --builder"],
  ])("refuses %j in pflag's words", (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });

  test.each([
    [["--data-root", "relative"], 'invalid value "relative" for --data-root: expected an absolute path'],
    [["-H", "fd://"], "sockets of systemd are not supported: name one with unix:// or tcp://"],
    [["-H", "npipe:////./pipe/x"], "unsupported proto 'npipe'"],
    [["-H", "tcp://0.0.0.0:99999"], "expected tcp://HOST:PORT"],
    [["-H", "unix://relative"], "expected an absolute path"],
    [["--log-level", "loud"], "invalid logging level: loud"],
    [["--log-format", "xml"], "invalid log format: xml"],
    [["--max-concurrent-downloads", "-1"], "invalid max concurrent downloads: -1"],
    [["--mtu", "-1"], "invalid default MTU: -1"],
    [["--insecure-registry", "10.0.0.0/99"], "insecure registry 10.0.0.0/99 is not valid"],
    [["--insecure-registry", "a:5000/path"], "insecure registry a:5000/path is not valid"],
    [["--insecure-registry", "a:port"], "insecure registry a:port is not valid"],
    [["--registry-mirror", "ftp://x"], 'unsupported scheme "ftp"'],
    [["--registry-mirror", "http://a:b@x"], "username/password not allowed in URI"],
    [["--default-ipc-mode", "host"], 'IPC mode "host" is not supported as default value'],
    [["--default-ipc-mode", "x"], "default IPC mode setting (x) is invalid"],
    [["--default-cgroupns-mode", "x"], "default cgroup namespace mode (x) is invalid"],
    [["--label", "x"], "bad attribute format: x"],
    [["--label", "a=b", "--label", "a=c"], "conflict labels for a=c and a=b"],
    [["--label", "com.docker.x=1"], "are reserved for internal use"],
    [["--dns-search", "a b"], "a b is not a valid domain"],
    [["--bridge", "x", "--bip", "10.0.0.1/24"], "You specified -b & --bip, mutually exclusive options."],
    [["--iptables=false", "--icc=false"], "You specified --iptables=false with --icc=false."],
    [["--bip", "10.0.0.0/24"], 'invalid value "10.0.0.0/24" for --bip'],
    [["--fixed-cidr", "x"], "invalid CIDR address: x"],
    [["--default-address-pool", "base=10.0.0.0/8,size=4"], "invalid pools size: 4"],
    [["--default-address-pool", "base=x,size=24"], 'invalid base pool "x": invalid CIDR address: x'],
    [["--bip", "10.0.0.1/24", "--default-gateway", "10.9.9.9"], "must belong to the master pool: 10.0.0.0/24"],
    [["--seccomp-profile", "/nope"], "opening seccomp profile (/nope) failed: open /nope: no such file or directory"],
    [["--userns-remap", "default"], "option userns-remap is not supported: layers are shared by all containers"],
    [["--containerd", "/x"], "option containerd is not supported: there is no containerd"],
    [["--storage-driver", "zfs"], "driver not supported: zfs"],
    [["--exec-opt", "native.cgroupdriver=systemd"], "native.cgroupdriver option systemd not supported"],
    [["--exec-opt", "x=y"], "Unknown option (x) when initializing the runtime"],
    [["--metrics-addr", "x"], "expected HOST:PORT"],
  ])("refuses %j", (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });

  test.each([
    ["not JSON", "{", "unable to configure the Docker daemon with file"],
    ["a list", [], "json: cannot unmarshal array into Go value of type map[string]interface {}"],
    [
      "unknown keys",
      { zed: 1, storage: 1 },
      "the following directives don't match any configuration option: storage, zed",
    ],
    ["a flag that it does not have", { help: true }, "don't match any configuration option: help"],
    [
      "a text for a list",
      { hosts: "unix:///x" },
      "cannot unmarshal string into Go struct field Config.hosts of type []string",
    ],
    ["a number for a text", { bip: 3 }, "json: cannot unmarshal number into Go struct field Config.bip of type string"],
    ["a size without a unit", { "default-shm-size": 64 }, 'invalid size: "64"'],
    ["no address", { dns: ["x"] }, "invalid IP address: x"],
    ["a feature that is never off", { features: { buildkit: false } }, 'feature "buildkit" cannot be turned off'],
    ["a feature that is no switch", { features: { cdi: "yes" } }, 'feature "cdi" is not supported'],
    ["a feature that there is not", { features: { zip: true } }, 'feature "zip" is not supported'],
    ["users' namespaces", { "userns-remap": "default" }, "option userns-remap is not supported"],
    ["a log option that is no text", { "log-opts": { "max-file": 3 } }, "Config.log-opts of type string"],
  ])("refuses a configuration file with %s", (_, content, message) => {
    expect(() => parseFile(content)).toThrow(message);
  });

  test("refuses what flag and file both give, and shows both, in dockerd's words", () => {
    const prefix = "the following directives are specified both as a flag and in the configuration file: ";
    const both =
      (content: unknown, ...args: string[]) =>
      () =>
        parseFile(content, ...args);
    expect(both({ bip: "1.2.3.4/24" }, "--bip", "10.0.0.1/24")).toThrow(
      `${prefix}bip: (from flag: 10.0.0.1/24, from file: 1.2.3.4/24)`,
    );
    expect(both({ hosts: ["unix:///x"] }, "-H", "unix:///y")).toThrow(
      `${prefix}hosts: (from flag: [unix:///y], from file: [unix:///x])`,
    );
    expect(both({ debug: true }, "-D")).toThrow(`${prefix}debug: (from flag: true, from file: true)`);
    expect(both({ "log-opts": { "max-size": "1m" } }, "--log-opt", "max-size=2m")).toThrow(
      `${prefix}log-opts: (from flag: map[max-size:2m], from file: map[max-size:1m])`,
    );
    expect(both({ proxies: { "http-proxy": "http://u:p@h" } }, "--http-proxy", "http://v:q@h")).toThrow(
      `${prefix}http-proxy: (from flag: http://xxxxx:xxxxx@h, from file: http://xxxxx:xxxxx@h)`,
    );
  });

  test("takes a file as Docker's users have it", () => {
    const options = parseFile({
      "storage-driver": "overlay2",
      "storage-opts": ["overlay2.override_kernel_check=true"],
      features: { buildkit: true, "containerd-snapshotter": true, cdi: false },
      "exec-opts": ["native.cgroupdriver=cgroupfs"],
      "authorization-plugins": [],
      experimental: false,
      "selinux-enabled": false,
      "default-address-pools": [{ base: "10.99.0.0/16", size: 24 }],
      "default-ulimits": { nofile: { Name: "nofile", Hard: 64_000, Soft: 32_000 } },
      "default-network-opts": { bridge: { "com.docker.network.driver.mtu": "1400" } },
      "default-shm-size": "128M",
      "insecure-registries": ["http://a:5000/", "10.1.0.0/16"],
      "registry-mirrors": ["http://127.0.0.1:5000/"],
      "max-concurrent-downloads": 0,
      "live-restore": false,
      proxies: { "no-proxy": "localhost" },
      ipv6: true,
      "fixed-cidr-v6": "fd00:1::/64",
      bip: "10.77.0.1/24",
      "fixed-cidr": "10.77.0.128/25",
      "default-gateway": "10.77.0.200",
    });
    expect(options).toMatchObject({
      liveRestore: false,
      cdiSpecDirectories: [],
      maxConcurrentDownloads: 6,
      insecureRegistries: ["a:5000", "10.1.0.0/16"],
      registryMirrors: ["http://127.0.0.1:5000"],
      proxies: { "no-proxy": "localhost" },
      network: {
        pools: [{ block: "10.99.0.0/16", size: 24 }],
        defaultOptions: { bridge: { "com.docker.network.driver.mtu": "1400" } },
        bridge: {
          ipv4: {
            subnet: "10.77.0.0/24",
            gateway: "10.77.0.1",
            ipRange: "10.77.0.128/25",
            auxiliary: { DefaultGatewayIPv4: "10.77.0.200" },
          },
          ipv6: { subnet: "fd00:1::/64", gateway: "" },
        },
      },
      containers: { shmSize: 128 * 1024 * 1024, ulimits: [{ Name: "nofile", Soft: 32_000, Hard: 64_000 }] },
    });
    expect(parseFile({ features: { cdi: true }, "cdi-spec-dirs": ["/x"] }).cdiSpecDirectories).toEqual(["/x"]);
    expect(parseFile({ "cdi-spec-dirs": [] }).cdiSpecDirectories).toEqual([]);
    expect(parseFile({ bridge: "none" }).network.bridge).toBeUndefined();
    expect(parseFile("").logLevel).toBe("info");
  });

  test("takes the containers' log driver and options from flags or file, and refuses what no container could have", () => {
    const file = { "log-driver": "local", "log-opts": { "max-size": "5m" } };
    expect(parseFile(file).containers.logs).toEqual({ driver: "local", options: { "max-size": "5m" } });
    expect(parse("--log-opt", "max-file=2").containers.logs.options).toEqual({ "max-file": "2" });
    expect(() => parse("--log-opt", "x=1")).toThrow(
      "failed to set log opts: unknown log opt 'x' for json-file log driver",
    );
    expect(() => parse("--log-driver", "syslog")).toThrow('log driver "syslog" is not supported');
  });

  test("wants the configuration file that was named", () => {
    const gone = join(directory, "gone.json");
    expect(() => parseDaemonOptions(["--config-file", gone])).toThrow(
      `unable to configure the Docker daemon with file ${gone}: open ${gone}: no such file or directory`,
    );
  });
});
