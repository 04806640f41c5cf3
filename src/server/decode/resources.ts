import { type Fields, flag, integer, list, object, text, textList, textMap } from "#lib/json-decoder.ts";
import type {
  ContainerResources,
  DeviceMapping,
  DeviceRequest,
  ThrottleDevice,
  Ulimit,
  WeightDevice,
} from "#spec/docker-resources.ts";

const ulimit = object<Ulimit>({ Name: text, Soft: integer, Hard: integer }, { Name: "", Soft: 0, Hard: 0 });

const device = object<DeviceMapping>(
  { PathOnHost: text, PathInContainer: text, CgroupPermissions: text },
  { PathOnHost: "", PathInContainer: "", CgroupPermissions: "" },
);

const deviceRequest = object<DeviceRequest>(
  { Driver: text, Count: integer, DeviceIDs: textList, Capabilities: list(textList), Options: textMap },
  { Driver: "", Count: 0, DeviceIDs: null, Capabilities: null, Options: null },
);

const weightDevice = object<WeightDevice>({ Path: text, Weight: integer }, { Path: "", Weight: 0 });
const throttleDevice = object<ThrottleDevice>({ Path: text, Rate: integer }, { Path: "", Rate: 0 });

/** Docker's `Resources`: part of HostConfig, and the body of update. */
export const RESOURCE_FIELDS: Fields<ContainerResources> = {
  CpuShares: integer,
  Memory: integer,
  NanoCpus: integer,
  CgroupParent: text,
  BlkioWeight: integer,
  BlkioWeightDevice: list(weightDevice),
  BlkioDeviceReadBps: list(throttleDevice),
  BlkioDeviceWriteBps: list(throttleDevice),
  BlkioDeviceReadIOps: list(throttleDevice),
  BlkioDeviceWriteIOps: list(throttleDevice),
  CpuPeriod: integer,
  CpuQuota: integer,
  CpuRealtimePeriod: integer,
  CpuRealtimeRuntime: integer,
  CpusetCpus: text,
  CpusetMems: text,
  Devices: list(device),
  DeviceCgroupRules: textList,
  DeviceRequests: list(deviceRequest),
  KernelMemory: integer,
  KernelMemoryTCP: integer,
  MemoryReservation: integer,
  MemorySwap: integer,
  MemorySwappiness: integer,
  OomKillDisable: flag,
  PidsLimit: integer,
  Ulimits: list(ulimit),
  CpuCount: integer,
  CpuPercent: integer,
  IOMaximumIOps: integer,
  IOMaximumBandwidth: integer,
};
