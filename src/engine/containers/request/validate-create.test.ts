import { describe, expect, test } from "bun:test";
import type { ContainerCreateRequest } from "#spec/docker-containers.ts";
import { checkCreateRequest, checkName } from "./validate-create.ts";

const MB = 1024 * 1024;

describe("checkName()", () => {
  test("takes what Docker takes", () => {
    for (const name of ["web", "web-1", "a_b.c", "9x"]) expect(() => checkName(name)).not.toThrow();
    for (const name of ["x", "-web", "a/b", "ä", ".."]) expect(() => checkName(name)).toThrow("Invalid container name");
  });
});

describe("checkCreateRequest()", () => {
  const check = (request: ContainerCreateRequest): void => checkCreateRequest({ Image: "busybox", ...request });

  test("lets an ordinary request pass", () => {
    expect(() =>
      check({
        Env: ["A=b", "C"],
        WorkingDir: "/srv",
        StopSignal: "SIGRTMIN+3",
        HostConfig: {
          Memory: 64 * MB,
          MemorySwap: -1,
          NanoCpus: 5e8,
          PidMode: "host",
          IpcMode: "shareable",
          UsernsMode: "host",
          RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
          LogConfig: { Type: "json-file", Config: { "max-size": "10m" } },
        },
      }),
    ).not.toThrow();
  });

  test.each<[ContainerCreateRequest, string]>([
    [{ Image: "" }, "no command specified"],
    [{ Image: "", Cmd: ["true"] }, "cannot create a container without an image"],
    [{ Env: ["=x"] }, "invalid environment variable: =x"],
    [{ WorkingDir: "srv" }, "the working directory 'srv' is invalid, it needs to be an absolute path"],
    [{ StopSignal: "SIGNOPE" }, "invalid signal: SIGNOPE"],
    [{ HostConfig: { Memory: MB } }, "Minimum memory limit allowed is 6MB"],
    [{ HostConfig: { MemorySwap: 64 * MB } }, "You should always set the Memory limit when using Memoryswap limit"],
    [
      { HostConfig: { Memory: 64 * MB, MemorySwap: 32 * MB } },
      "Minimum memoryswap limit should be larger than memory limit",
    ],
    [{ HostConfig: { NanoCpus: 1e9, CpuQuota: 5000 } }, "Nano CPUs and CPU Quota cannot both be set"],
    [{ HostConfig: { CpuPeriod: 10 } }, "CPU cfs period can not be less than 1ms"],
    [{ HostConfig: { OomScoreAdj: 2000 } }, "range for oom score adj is [-1000, 1000]"],
    [{ HostConfig: { PidMode: "x" } }, "invalid PID mode: x"],
    [{ HostConfig: { IpcMode: "x" } }, "invalid IPC mode: x"],
    [{ HostConfig: { CgroupnsMode: "x" } }, "invalid cgroup namespace mode: x"],
    [{ HostConfig: { Cgroup: "x" } }, 'HostConfig.Cgroup "x" is not supported'],
    [{ HostConfig: { UTSMode: "x" } }, "invalid UTS mode: x"],
    [{ HostConfig: { Isolation: "hyperv" } }, "Invalid isolation: \"hyperv\" - linux only supports 'default'"],
    [{ HostConfig: { StorageOpt: { size: "1g" } } }, "--storage-opt is supported only for overlay over xfs"],
    [{ HostConfig: { Annotations: { "": "x" } } }, "the empty string is not permitted as an annotation key"],
    [{ HostConfig: { MemorySwappiness: 101 } }, "Invalid value: 101, valid memory swappiness range is 0-100"],
    [{ HostConfig: { MemoryReservation: MB } }, "Minimum memory reservation allowed is 6MB"],
    [
      { HostConfig: { Memory: 64 * MB, MemoryReservation: 65 * MB } },
      "Minimum memory limit can not be less than memory reservation limit",
    ],
    [
      { HostConfig: { CpuRealtimePeriod: 10, CpuRealtimeRuntime: 11 } },
      "cpu real-time runtime cannot be higher than cpu real-time period",
    ],
    [{ HostConfig: { BlkioWeight: 5 } }, "Range of blkio weight is from 10 to 1000"],
    [{ HostConfig: { IOMaximumIOps: 5 } }, "linux does not support Maximum IO Bandwidth or Maximum IO IOps"],
    [{ HostConfig: { CpusetMems: "99" } }, "Requested memory nodes are not available - requested 99"],
    [{ HostConfig: { CpusetMems: "x" } }, "Invalid value x for cpuset mems"],
    [{ HostConfig: { DeviceCgroupRules: ["c 42 rwm"] } }, "invalid device cgroup rule format: 'c 42 rwm'"],
    [{ HostConfig: { Sysctls: { "vm.swappiness": "1" } } }, 'sysctl "vm.swappiness" is not in a separate kernel'],
    [
      { HostConfig: { NetworkMode: "host", Sysctls: { "net/ipv4/ip_forward": "1" } } },
      'sysctl "net.ipv4.ip_forward" not allowed in host network namespace',
    ],
    [{ HostConfig: { IpcMode: "host", Sysctls: { "kernel.msgmax": "1" } } }, 'sysctl "kernel.msgmax" is not allowed'],
    [{ Hostname: "h", HostConfig: { UTSMode: "host" } }, "conflicting options: hostname and the UTS mode"],
    [{ HostConfig: { NetworkMode: "container:" } }, "invalid container format container:<name|id>"],
    [{ HostConfig: { NetworkMode: "container" } }, "invalid container format container:<name|id>"],
    [
      {
        HostConfig: { NetworkMode: "host" },
        NetworkingConfig: { EndpointsConfig: { host: { MacAddress: "02:42:ac:11:00:42" } } },
      },
      "conflicting options: mac-address and the network mode",
    ],
    [{ HostConfig: { NetworkMode: "container:x", Dns: ["1.1.1.1"] } }, "conflicting options: dns and the network mode"],
    [
      { ExposedPorts: { "80/tcp": {} }, HostConfig: { NetworkMode: "container:x" } },
      "conflicting options: port exposing and the container type network mode",
    ],
    [
      { HostConfig: { RestartPolicy: { Name: "always", MaximumRetryCount: 1 } } },
      "maximum retry count can only be used with 'on-failure'",
    ],
    [
      { HostConfig: { AutoRemove: true, RestartPolicy: { Name: "always" } } },
      "can't create 'AutoRemove' container with restart policy",
    ],
    [
      { Hostname: "h", HostConfig: { NetworkMode: "container:x" } },
      "conflicting options: hostname and the network mode",
    ],
    [{ HostConfig: { LogConfig: { Type: "syslog" } } }, 'log driver "syslog" is not supported'],
  ])("refuses %j", (request, message) => {
    expect(() => check(request)).toThrow(message);
  });
});
