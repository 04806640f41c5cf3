import type { Fault } from "./fault.ts";

const REFUSED: readonly (readonly [hostConfig: unknown, message: string])[] = [
  [{ Memory: 1 }, "Minimum memory limit allowed is 6MB"],
  [
    { Memory: "1g" },
    "invalid JSON: json: cannot unmarshal string into Go struct field HostConfig.HostConfig.Memory of type int64",
  ],
  [{ Memory: -1 }, "Minimum memory limit allowed is 6MB"],
  [{ MemorySwap: 10000000 }, "You should always set the Memory limit when using Memoryswap limit, see usage"],
  [
    { Memory: 20000000, MemorySwap: 10000000 },
    "Minimum memoryswap limit should be larger than memory limit, see usage",
  ],
  [
    { Memory: 20000000, MemoryReservation: 30000000 },
    "Minimum memory limit can not be less than memory reservation limit, see usage",
  ],
  [{ MemorySwappiness: 101 }, "Invalid value: 101, valid memory swappiness range is 0-100"],
  [{ NanoCpus: -1 }, "range of CPUs is from 0.01 to <any>"],
  [{ NanoCpus: 1000000000000000 }, "range of CPUs is from 0.01 to <any>"],
  [{ NanoCpus: 1000000000, CpuQuota: 1000 }, "Conflicting options: Nano CPUs and CPU Quota cannot both be set"],
  [{ CpuPeriod: 10 }, "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"],
  [{ CpuQuota: 10 }, "CPU cfs quota can not be less than 1ms (i.e. 1000)"],
  [{ CpusetCpus: "x" }, "Invalid value x for cpuset cpus: invalid format: x"],
  [{ CpusetCpus: "900" }, "Requested CPUs are not available - requested 900, available: <any>"],
  [{ CpusetMems: "900" }, "Requested memory nodes are not available - requested 900, available: <any>"],
  [{ BlkioWeight: 5 }, "Range of blkio weight is from 10 to 1000"],
  [
    { PidsLimit: "x" },
    "invalid JSON: json: cannot unmarshal string into Go struct field HostConfig.HostConfig.PidsLimit of type int64",
  ],
  [{ OomScoreAdj: 5000 }, "Invalid value 5000, range for oom score adj is [-1000, 1000]"],
  [{ ShmSize: -1 }, "SHM size can not be less than 0"],
  [
    { Binds: ["x"] },
    "invalid volume specification: 'x': invalid mount config for type \"volume\": invalid mount path: 'x' mount path must be absolute",
  ],
  [
    { Binds: ["/tmp/bad-a:b"] },
    "invalid volume specification: '/tmp/bad-a:b': invalid mount config for type \"bind\": invalid mount path: 'b' mount path must be absolute",
  ],
  [{ Binds: ["/tmp/bad-a:/b:odd"] }, "invalid mode: odd"],
  [{ Binds: ["/tmp/bad-a:/b:ro:rw:z"] }, "invalid volume specification: '/tmp/bad-a:/b:ro:rw:z'"],
  [
    { Binds: ["a/b:/c"] },
    'create a/b: "a/b" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
  ],
  [{ Binds: [":/c"] }, "invalid volume specification: ':/c'"],
  [
    { Binds: ["/tmp/bad-a:/"] },
    "invalid volume specification: '/tmp/bad-a:/': invalid mount config for type \"bind\": invalid specification: destination can't be '/'",
  ],
  [{ Binds: ["/tmp/bad-a:/b", "/tmp/bad-c:/b"] }, "Duplicate mount point: /b"],
  [{ Mounts: [{ Type: "odd", Target: "/x" }] }, 'invalid mount config for type "odd": mount type unknown'],
  [
    { Mounts: [{ Type: "bind", Source: "/nosuchplace", Target: "/x" }] },
    'invalid mount config for type "bind": bind source path does not exist: /nosuchplace',
  ],
  [
    { Mounts: [{ Type: "bind", Target: "/x" }] },
    'invalid mount config for type "bind": field Source must not be empty',
  ],
  [
    { Mounts: [{ Type: "volume", Source: "v" }] },
    'invalid mount config for type "volume": field Target must not be empty',
  ],
  [
    { Mounts: [{ Type: "volume", Source: "v", Target: "rel" }] },
    "invalid mount config for type \"volume\": invalid mount path: 'rel' mount path must be absolute",
  ],
  [
    { Mounts: [{ Type: "tmpfs", Source: "v", Target: "/x" }] },
    'invalid mount config for type "tmpfs": field Source must not be specified',
  ],
  [
    { Mounts: [{ Type: "bind", Source: "/tmp", Target: "/x", VolumeOptions: { NoCopy: true } }] },
    'invalid mount config for type "bind": field VolumeOptions must not be specified',
  ],
  [
    { Mounts: [{ Type: "bind", Source: "/tmp", Target: "/x", BindOptions: { Propagation: "odd" } }] },
    'invalid mount config for type "bind": invalid propagation mode: odd',
  ],
  [{ Tmpfs: { rel: "" } }, "invalid mount path: 'rel' mount path must be absolute"],
  [{ VolumesFrom: ["none"] }, "No such container: none"],
  [{ VolumesFrom: ["running:odd"] }, "invalid mode: odd"],
  [{ VolumesFrom: [""] }, "volumes-from specification cannot be an empty string"],
  [{ VolumeDriver: "odd", Binds: ["vv:/x"] }, 'error looking up volume plugin odd: plugin "odd" not found'],
  [{ NetworkMode: "container:" }, "Invalid network mode: invalid container format container:<name|id>"],
  [
    { NetworkMode: "container:running", PortBindings: { "80/tcp": [{ HostPort: "1" }] } },
    "conflicting options: port publishing and the container type network mode",
  ],
  [{ NetworkMode: "container:running", Dns: ["1.1.1.1"] }, "conflicting options: dns and the network mode"],
  [
    { NetworkMode: "container:running", ExtraHosts: ["a:1.1.1.1"] },
    "conflicting options: custom host-to-IP mapping and the network mode",
  ],
  [
    { NetworkMode: "container:running", Links: ["running:x"] },
    "conflicting options: container type network can't be used with links. This would result in undefined behavior",
  ],
  [
    { NetworkMode: "host", Links: ["running:x"] },
    "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
  ],
  [{ Links: ["none:x"] }, "could not get container for none: No such container: none"],
  [{ Links: ["a:b:c"] }, "bad format for links: a:b:c"],
  [{ PortBindings: { abc: [{ HostPort: "1" }] } }, 'invalid port specification: "abc"'],
  [{ PortBindings: { "80/odd": [{ HostPort: "1" }] } }, 'invalid port specification: "80/odd"'],
  [{ PortBindings: { "80/tcp": [{ HostPort: "x" }] } }, 'invalid port specification: "x"'],
  [{ PortBindings: { "80/tcp": [{ HostPort: "70000" }] } }, 'invalid port specification: "70000"'],
  [
    { PortBindings: { "80/tcp": [{ HostPort: 1 }] } },
    "invalid JSON: json: cannot unmarshal number into Go struct field PortBindings.HostConfig.PortBindings.HostPort of type string",
  ],
  [
    { PublishAllPorts: "x" },
    "invalid JSON: json: cannot unmarshal string into Go struct field HostConfig.HostConfig.PublishAllPorts of type bool",
  ],
  [{ ExtraHosts: ["x"] }, 'bad format for add-host: "x"'],
  [{ ExtraHosts: ["a:b"] }, 'invalid IP address in add-host: "b"'],
  [
    { RestartPolicy: { Name: "odd" } },
    "invalid restart policy: unknown policy 'odd'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
  ],
  [
    { RestartPolicy: { Name: "always", MaximumRetryCount: 3 } },
    "invalid restart policy: maximum retry count can only be used with 'on-failure'",
  ],
  [
    { RestartPolicy: { Name: "on-failure", MaximumRetryCount: -1 } },
    "invalid restart policy: maximum retry count cannot be negative",
  ],
  [{ RestartPolicy: { Name: "always" }, AutoRemove: true }, "can't create 'AutoRemove' container with restart policy"],
  [{ LogConfig: { Type: "odd" } }, 'error looking up logging plugin odd: plugin "odd" not found'],
  [{ LogConfig: { Type: "json-file", Config: { odd: "1" } } }, "unknown log opt 'odd' for json-file log driver"],
  [{ LogConfig: { Type: "json-file", Config: { "max-size": "x" } } }, "invalid size: 'x'"],
  [{ LogConfig: { Type: "json-file", Config: { "max-file": "0" } } }, "max-file cannot be less than 1"],
  [{ LogConfig: { Config: { mode: "odd" } } }, "logger: logging mode not supported: odd"],
  [{ PidMode: "odd" }, "invalid PID mode: odd"],
  [{ PidMode: "container:none" }, "No such container: none"],
  [{ IpcMode: "odd" }, "invalid IPC mode: odd"],
  [{ IpcMode: "container:none" }, "No such container: none"],
  [{ UTSMode: "odd" }, "invalid UTS mode: odd"],
  [{ UsernsMode: "odd" }, "invalid user namespace mode: odd"],
  [{ CgroupnsMode: "odd" }, "invalid cgroup namespace mode: odd"],
  [{ CapAdd: ["ODD"] }, 'invalid CapAdd: unknown capability: "CAP_ODD"'],
  [{ CapDrop: ["ODD"] }, 'invalid CapDrop: unknown capability: "CAP_ODD"'],
  [{ SecurityOpt: ["odd"] }, 'invalid --security-opt 1: "odd"'],
  [{ SecurityOpt: ["no-new-privileges:odd"] }, 'invalid --security-opt 2: "no-new-privileges:odd"'],
  [{ Sysctls: { "kernel.shmmax": "x", odd: "1" } }, 'sysctl "odd" is not in a separate kernel namespace'],
  [
    { Sysctls: { "net.core.somaxconn": "1" }, NetworkMode: "host" },
    'sysctl "net.core.somaxconn" not allowed in host network namespace',
  ],
  [
    { Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/x", CgroupPermissions: "odd" }] },
    "invalid device mode: odd",
  ],
  [{ DeviceCgroupRules: ["odd"] }, "invalid device cgroup rule format: 'odd'"],
  [{ Runtime: "odd" }, "unknown or invalid runtime name: odd"],
  [{ Isolation: "odd" }, "Invalid isolation: \"odd\" - linux only supports 'default'"],
  [{ StorageOpt: { size: "1g" } }, "--storage-opt is supported only for overlay over xfs with 'pquota' mount option"],
  [
    { MaskedPaths: "x" },
    "invalid JSON: json: cannot unmarshal string into Go struct field HostConfig.HostConfig.MaskedPaths of type []string",
  ],
  [
    { Init: "x" },
    "invalid JSON: json: cannot unmarshal string into Go struct field HostConfig.HostConfig.Init of type bool",
  ],
];

/** Of POST /containers/create: a HostConfig that cannot be honoured, or contradicts itself. */
export const HOST_CONFIG_FAULTS: readonly Fault[] = REFUSED.map(([HostConfig, message]) => ({
  call: "POST /containers/create?name=aa",
  body: { Image: "busybox", Cmd: ["true"], HostConfig },
  status: 400,
  message,
}));
