import { InvalidParameterError } from "#errors/errors.ts";
import { parseDeviceCgroupRule } from "#runtime/bundle/devices.ts";
import type { HostConfig } from "#spec/docker-containers.ts";

/** Checks what a request says of devices, but for whether they, and drivers for them, exist: that is seen at the start. Throws InvalidParameterError in Docker's words. */
export function checkDevices({ Devices, DeviceCgroupRules }: HostConfig): void {
  for (const { CgroupPermissions, PathOnHost } of Devices ?? []) {
    if (PathOnHost === "") throw new InvalidParameterError("invalid device specification: no path on the host");
    if (!/^[rwm]{0,3}$/.test(CgroupPermissions))
      throw new InvalidParameterError(`invalid device mode: ${CgroupPermissions}`);
  }
  for (const rule of DeviceCgroupRules ?? []) parseDeviceCgroupRule(rule);
}
