import type { RuntimeBlockIo, RuntimeDeviceRate } from "#spec/oci-runtime.ts";
import type { BlockIoLimits, DeviceRate } from "../container-runtime.ts";
import { blockDeviceNumbers } from "./devices.ts";

/** The limits with the devices by their numbers; undefined when there is none. Throws InvalidParameterError for a path that is no block device. */
export function resolveBlockIo(limits: BlockIoLimits): RuntimeBlockIo | undefined {
  const lists: RuntimeBlockIo = {
    weightDevice: limits.weightDevices.map(({ path, weight }) => ({ ...blockDeviceNumbers(path), weight })),
    throttleReadBpsDevice: numbered(limits.readBps),
    throttleWriteBpsDevice: numbered(limits.writeBps),
    throttleReadIOPSDevice: numbered(limits.readIops),
    throttleWriteIOPSDevice: numbered(limits.writeIops),
  };
  const given = Object.entries(lists).filter(([, list]) => list.length > 0);
  if (limits.weight === 0 && given.length === 0) return undefined;
  return { ...(limits.weight > 0 ? { weight: limits.weight } : {}), ...Object.fromEntries(given) };
}

function numbered(rates: readonly DeviceRate[]): readonly RuntimeDeviceRate[] {
  return rates.map(({ path, rate }) => ({ ...blockDeviceNumbers(path), rate }));
}
