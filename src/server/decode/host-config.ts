import { type Decoder, flag, integer, list, map, object, oneOf, text, textList, textMap } from "#lib/json-decoder.ts";
import type { HostConfig, MountRequest, PortMapEntry, RestartPolicy } from "#spec/docker-containers.ts";
import { RESOURCE_FIELDS } from "./resources.ts";

export const restartPolicy: Decoder<RestartPolicy> = object<RestartPolicy>(
  {
    Name: oneOf(
      ["", "no", "always", "unless-stopped", "on-failure"],
      (name) =>
        `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    ),
    MaximumRetryCount: integer,
  },
  { Name: "" },
);

const mount = object<MountRequest>(
  {
    Type: oneOf(
      ["bind", "volume", "tmpfs", "image"],
      (type) => `invalid mount config for type "${type}": mount type unknown`,
    ),
    Source: text,
    Target: text,
    ReadOnly: flag,
    Consistency: text,
    BindOptions: object<NonNullable<MountRequest["BindOptions"]>>(
      {
        Propagation: text,
        NonRecursive: flag,
        CreateMountpoint: flag,
        ReadOnlyNonRecursive: flag,
        ReadOnlyForceRecursive: flag,
      },
      {},
    ),
    VolumeOptions: object<NonNullable<MountRequest["VolumeOptions"]>>(
      {
        NoCopy: flag,
        Labels: textMap,
        DriverConfig: object<{ readonly Name?: string; readonly Options?: Readonly<Record<string, string>> }>(
          { Name: text, Options: textMap },
          {},
        ),
        Subpath: text,
      },
      {},
    ),
    ImageOptions: object<NonNullable<MountRequest["ImageOptions"]>>({ Subpath: text }, {}),
    TmpfsOptions: object<NonNullable<MountRequest["TmpfsOptions"]>>(
      { SizeBytes: integer, Mode: integer, Options: list(textList) },
      {},
    ),
  },
  { Type: "volume", Target: "" },
);

const portMapEntry = object<PortMapEntry>({ HostIp: text, HostPort: text }, { HostIp: "", HostPort: "" });

/** `[height, width]`. Like a Go array, it takes what is there and leaves the rest 0. */
export const consoleSize: Decoder<readonly [number, number]> = (value, path) => {
  const [rows = 0, columns = 0] = list(integer)(value, path);
  return [rows, columns];
};

/** `HostConfig` in the body of create. */
export const decodeHostConfig: Decoder<HostConfig> = object<HostConfig>(
  {
    ...RESOURCE_FIELDS,
    Binds: textList,
    NetworkMode: text,
    PortBindings: map(list(portMapEntry), null),
    PublishAllPorts: flag,
    RestartPolicy: restartPolicy,
    AutoRemove: flag,
    Mounts: list(mount),
    VolumesFrom: textList,
    CapAdd: textList,
    CapDrop: textList,
    Privileged: flag,
    ReadonlyRootfs: flag,
    Init: flag,
    SecurityOpt: textList,
    GroupAdd: textList,
    ExtraHosts: textList,
    Dns: textList,
    DnsSearch: textList,
    DnsOptions: textList,
    ShmSize: integer,
    Sysctls: textMap,
    Tmpfs: textMap,
    PidMode: text,
    IpcMode: text,
    UTSMode: text,
    UsernsMode: text,
    CgroupnsMode: text,
    Runtime: text,
    Annotations: textMap,
    Links: textList,
    MaskedPaths: textList,
    ReadonlyPaths: textList,
    OomScoreAdj: integer,
    LogConfig: object<NonNullable<HostConfig["LogConfig"]>>({ Type: text, Config: textMap }, { Type: "" }),
    ConsoleSize: consoleSize,
    ContainerIDFile: text,
    VolumeDriver: text,
    Cgroup: text,
    StorageOpt: textMap,
    Isolation: text,
  },
  {},
);
