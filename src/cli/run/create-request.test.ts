import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContainerCreateRequest } from "#spec/docker-containers.ts";
import { parseFlags } from "../grammar/parse-flags.ts";
import { CONTAINER_FLAGS } from "./container-flags.ts";
import { buildCreateRequest } from "./create-request.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "berth-create-request-"));
  await writeFile(join(directory, "env"), '# comment\n\nFILE=1\nQUOTED="kept"\nHOST_ONLY\nUNSET\n  LEFT=trimmed \n');
  await writeFile(join(directory, "bad-env"), "a b=c\n");
  await writeFile(join(directory, "labels"), "from=file\nbare\n");
});
afterAll(() => rm(directory, { recursive: true }));

async function request(...words: readonly string[]): Promise<ContainerCreateRequest> {
  const parsed = parseFlags(CONTAINER_FLAGS, words, { stopAtFirstArgument: true });
  return buildCreateRequest(parsed, { environment: { HOST_ONLY: "h" }, workingDirectory: "/here" });
}

describe("buildCreateRequest()", () => {
  const cases: readonly (readonly [string, readonly string[], unknown])[] = [
    ["takes image and command", ["img", "sh", "-c", "x"], { Image: "img", Cmd: ["sh", "-c", "x"] }],
    ["leaves the image's command without one", ["img"], { Cmd: null }],
    ["attaches stdout and stderr by default", ["img"], { AttachStdin: false, AttachStdout: true, AttachStderr: true }],
    ["opens stdin once with -i", ["-i", "img"], { OpenStdin: true, StdinOnce: true, AttachStdin: true, Tty: false }],
    ["attaches what -a names", ["-a", "STDOUT", "img"], { AttachStdout: true, AttachStderr: false }],
    ["reads --entrypoint", ["--entrypoint", "/x", "img"], { Entrypoint: ["/x"] }],
    ['clears the entrypoint with ""', ["--entrypoint", "", "img"], { Entrypoint: [""] }],
    [
      "copies a bare -e from the client",
      ["-e", "HOST_ONLY", "-e", "NOT_SET", "-e", "A=b=c", "img"],
      { Env: ["HOST_ONLY=h", "NOT_SET", "A=b=c"] },
    ],
    [
      "reads units",
      ["-m", "512m", "--memory-swap", "-1", "--shm-size=1g", "--cpus", "1.5", "img"],
      { HostConfig: { Memory: 536870912, MemorySwap: -1, ShmSize: 1073741824, NanoCpus: 1_500_000_000 } },
    ],
    [
      "sends limits that were given",
      ["--pids-limit", "-1", "--oom-score-adj=5", "img"],
      { HostConfig: { PidsLimit: -1, OomScoreAdj: 5 } },
    ],
    [
      "publishes a port",
      ["-p", "8080:80", "img"],
      {
        ExposedPorts: { "80/tcp": {} },
        HostConfig: { PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "8080" }] } },
      },
    ],
    [
      "publishes at an address",
      ["-p", "127.0.0.1::53/udp", "img"],
      { HostConfig: { PortBindings: { "53/udp": [{ HostIp: "127.0.0.1", HostPort: "" }] } } },
    ],
    [
      "publishes at an IPv6 address",
      ["-p", "[::1]:80:80", "img"],
      { HostConfig: { PortBindings: { "80/tcp": [{ HostIp: "::1", HostPort: "80" }] } } },
    ],
    [
      "publishes ranges one to one",
      ["-p", "9000-9001:80-81", "img"],
      {
        HostConfig: {
          PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "9000" }], "81/tcp": [{ HostIp: "", HostPort: "9001" }] },
        },
      },
    ],
    [
      "leaves the choice of a range for one port",
      ["-p", "9000-9005:80", "img"],
      { HostConfig: { PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "9000-9005" }] } } },
    ],
    ["exposes ranges", ["--expose", "5-6/udp", "img"], { ExposedPorts: { "5/udp": {}, "6/udp": {} } }],
    [
      "tells binds from anonymous volumes",
      ["-v", "/a:/b:ro", "-v", "./x:/x", "-v", "vol:/v", "-v", "/anon", "img"],
      { Volumes: { "/anon": {} }, HostConfig: { Binds: ["/a:/b:ro", "/here/x:/x", "vol:/v"] } },
    ],
    [
      "reads --mount",
      ["--mount", "type=bind,src=/a,dst=/b,readonly,bind-propagation=rshared", "img"],
      {
        HostConfig: {
          Mounts: [
            { Type: "bind", Source: "/a", Target: "/b", ReadOnly: true, BindOptions: { Propagation: "rshared" } },
          ],
        },
      },
    ],
    [
      "reads --mount of a tmpfs",
      ["--mount", "type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770", "img"],
      { HostConfig: { Mounts: [{ Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: 1048576, Mode: 0o1770 } }] } },
    ],
    [
      "reads --mount with quotes",
      ["--mount", 'type=volume,"source=a,b",target=/t', "img"],
      { HostConfig: { Mounts: [{ Type: "volume", Source: "a,b", Target: "/t" }] } },
    ],
    [
      "reads --tmpfs",
      ["--tmpfs", "/run:size=64k", "--tmpfs", "/tmp", "img"],
      { HostConfig: { Tmpfs: { "/run": "size=64k", "/tmp": "" } } },
    ],
    [
      "uses the default network",
      ["img"],
      { HostConfig: { NetworkMode: "default" }, NetworkingConfig: { EndpointsConfig: {} } },
    ],
    ["takes network modes", ["--network", "container:x", "img"], { HostConfig: { NetworkMode: "container:x" } }],
    ["takes the old --net", ["--net", "host", "img"], { HostConfig: { NetworkMode: "host" } }],
    [
      "sets up a user-defined network",
      ["--network", "name=n,alias=a,alias=b,ip=10.0.0.5,gw-priority=-1", "--link", "db:sql", "img"],
      {
        HostConfig: { NetworkMode: "n" },
        NetworkingConfig: {
          EndpointsConfig: {
            n: {
              Aliases: ["a", "b"],
              IPAMConfig: { IPv4Address: "10.0.0.5" },
              Links: ["db:sql"],
              GwPriority: -1,
            },
          },
        },
      },
    ],
    [
      "reads restart policies",
      ["--restart", "on-failure:3", "img"],
      { HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 } } },
    ],
    [
      "reads ulimits",
      ["--ulimit", "nofile=10:20", "--ulimit", "core=0", "img"],
      {
        HostConfig: {
          Ulimits: [
            { Name: "nofile", Soft: 10, Hard: 20 },
            { Name: "core", Soft: 0, Hard: 0 },
          ],
        },
      },
    ],
    [
      "reads devices",
      ["--device", "/dev/a", "--device", "/dev/b:/dev/c:r", "--device", "/dev/d:rw", "img"],
      {
        HostConfig: {
          Devices: [
            { PathOnHost: "/dev/a", PathInContainer: "/dev/a", CgroupPermissions: "rwm" },
            { PathOnHost: "/dev/b", PathInContainer: "/dev/c", CgroupPermissions: "r" },
            { PathOnHost: "/dev/d", PathInContainer: "/dev/d", CgroupPermissions: "rw" },
          ],
        },
      },
    ],
    [
      "reads hosts",
      ["--add-host", "a:1.2.3.4", "--add-host", "b=::1", "--add-host", "c:host-gateway", "img"],
      { HostConfig: { ExtraHosts: ["a:1.2.3.4", "b:::1", "c:host-gateway"] } },
    ],
    [
      "reads security options",
      [
        "--security-opt",
        "no-new-privileges",
        "--security-opt",
        "seccomp=unconfined",
        "--security-opt",
        "systempaths=unconfined",
        "img",
      ],
      { HostConfig: { SecurityOpt: ["no-new-privileges", "seccomp=unconfined"], MaskedPaths: [], ReadonlyPaths: [] } },
    ],
    [
      "reads health checks",
      ["--health-cmd", "x", "--health-interval", "5s", "--health-retries=2", "img"],
      { Healthcheck: { Test: ["CMD-SHELL", "x"], Interval: 5e9, Retries: 2 } },
    ],
    ["turns health checks off", ["--no-healthcheck", "img"], { Healthcheck: { Test: ["NONE"] } }],
    ["reads labels", ["-l", "a=b", "--label", "c", "img"], { Labels: { a: "b", c: "" } }],
    [
      "reads log options",
      ["--log-driver", "json-file", "--log-opt", "max-size=1m", "img"],
      { HostConfig: { LogConfig: { Type: "json-file", Config: { "max-size": "1m" } } } },
    ],
    [
      "sends a stop timeout of 0",
      ["--stop-timeout", "0", "--stop-signal", "INT", "img"],
      { StopTimeout: 0, StopSignal: "INT" },
    ],
    ["sends --init=false", ["--init=false", "img"], { HostConfig: { Init: false } }],
  ];
  for (const [title, words, expected] of cases) {
    test(title, async () => expect(await request(...words)).toMatchObject(expected as object));
  }

  test("reads --env-file before -e, raw", async () => {
    const { Env } = await request("-e", "LAST=1", "--env-file", join(directory, "env"), "img");
    expect(Env).toEqual(["FILE=1", 'QUOTED="kept"', "HOST_ONLY=h", "LEFT=trimmed ", "LAST=1"]);
  });

  test("reads --label-file before --label", async () => {
    const { Labels } = await request("--label-file", join(directory, "labels"), "-l", "from=flag", "img");
    expect(Labels).toEqual({ from: "flag", bare: "" });
  });

  /** Flags and docker's words for what is wrong with them. */
  const errors: readonly (readonly [readonly string[], string])[] = [
    [["-p", "z"], "invalid containerPort: z"],
    [["-p", "80:99999"], "invalid containerPort: 99999"],
    [["-p", "x:80"], "invalid hostPort: x"],
    [["-p", "a:b:c:d"], "invalid IP address: a:b"],
    [["-p", "80:"], "no port specified: 80:<empty>"],
    [["-p", "80/foo"], "invalid proto: foo"],
    [["-p", "1-2:1-3"], "invalid ranges specified for container and host Ports: 1-3 and 1-2"],
    [["--expose", "1:2"], "invalid port format for --expose: 1:2"],
    [["--restart", "always", "--rm"], "conflicting options: cannot specify both --restart and --rm"],
    [["--restart", "on-failure:x"], "invalid restart policy format: maximum retry count must be an integer"],
    [["--network", "a", "--network", "a"], 'network "a" is specified multiple times'],
    [
      ["--network", "host", "--network", "a"],
      "conflicting options: cannot attach both user-defined and non-user-defined network-modes",
    ],
    [
      ["--network", "bridge", "--network", "a"],
      "conflicting options: cannot attach both user-defined and non-user-defined network-modes",
    ],
    [["--network", "name=n,gw-priority=x"], "invalid gw-priority (x): invalid syntax"],
    [["--network", "name=n,driver-opt=x"], "invalid key value pair format in driver options"],
    [["--network", "name=n,foo=1"], "invalid field key foo"],
    [["--network", "alias=x"], "network name/id is not specified"],
    [["--network", ""], "no name set for network"],
    [["-v", ""], "invalid empty volume spec"],
    [["--dns", "x"], "IP address is not correctly formatted: x"],
    [["--dns", ""], "IP address is not correctly formatted: "],
    [["--dns-search", ""], " is not a valid domain"],
    [["--dns-search", "1.5"], "1.5 is not a valid domain"],
    [["--dns-search", "a:b"], "a:b is not a valid domain"],
    [
      ["--network", "name=n,alias=x", "--network-alias", "y"],
      "conflicting options: cannot specify both --network-alias and per-network alias",
    ],
    [
      ["--network", "name=n,ip=1.2.3.4", "--ip", "1.2.3.5"],
      "conflicting options: cannot specify both --ip and per-network IPv4 address",
    ],
    [["--link", "a:b:c"], "bad format for links: a:b:c"],
    [["--network-alias", "x"], "network-scoped aliases are only supported for user-defined networks"],
    [["--pid", "foo"], "--pid: invalid PID mode"],
    [["--uts", "foo"], "--uts: invalid UTS mode"],
    [["--userns", "foo"], "--userns: invalid USER mode"],
    [["--security-opt", "foo"], 'Invalid --security-opt: "foo"'],
    [["--mac-address", "zz"], "zz is not a valid mac address"],
    [["--health-cmd", "x", "--no-healthcheck"], "--no-healthcheck conflicts with --health-* options"],
    [["--env-file", "/nope"], "open /nope: no such file or directory"],
    [["--device", "a:b:c:d"], "bad format for path: a:b:c:d"],
  ];
  for (const [words, message] of errors) {
    test(`refuses ${words.join(" ")}`, () => expect(request(...words, "img")).rejects.toThrow(message));
  }

  test("refuses blanks in the names of an env file", async () => {
    await expect(request("--env-file", join(directory, "bad-env"), "img")).rejects.toThrow(
      "variable 'a b' contains whitespaces",
    );
  });
});

describe("CONTAINER_FLAGS", () => {
  const errors: readonly (readonly [readonly string[], string])[] = [
    [["--memory", "abc"], 'invalid argument "abc" for "-m, --memory" flag: invalid size: \'abc\''],
    [["--cpus", "x"], 'invalid argument "x" for "--cpus" flag: failed to parse x as a rational number'],
    [["-e", "="], 'invalid argument "=" for "-e, --env" flag: invalid environment variable: ='],
    [["--mount", "foo"], 'invalid argument "foo" for "--mount" flag: invalid field \'foo\' must be a key=value pair'],
    [["--mount", "type=volume"], 'invalid argument "type=volume" for "--mount" flag: target is required'],
    [["--add-host", "foo"], 'invalid argument "foo" for "--add-host" flag: bad format for add-host: "foo"'],
    [["--ulimit", "foo"], 'invalid argument "foo" for "--ulimit" flag: invalid ulimit argument: foo'],
    [["--sysctl", "foo"], 'invalid argument "foo" for "--sysctl" flag: sysctl \'foo\' is not allowed'],
    [["-a", "x"], 'invalid argument "x" for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR'],
  ];
  for (const [words, message] of errors) {
    test(`refuses ${words.join(" ")}`, () => expect(() => parseFlags(CONTAINER_FLAGS, words)).toThrow(message));
  }
});
