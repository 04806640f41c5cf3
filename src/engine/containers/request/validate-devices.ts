import { InvalidParameterError } from "#errors/errors.ts";
import { parseDeviceCgroupRule } from "#runtime/bundle/devices.ts";
import type { HostConfig } from "#spec/docker-api.ts";
import type { DeviceRequest } from "#spec/docker-resources.ts";

/** Checks what a request says of devices, but for whether they exist: that is seen at the start. Throws InvalidParameterError in Docker's words. */
export function checkDevices({ Devices, DeviceCgroupRules, DeviceRequests }: HostConfig): void {
  for (const { CgroupPermissions, PathOnHost } of Devices ?? []) {
    if (PathOnHost === "") throw new InvalidParameterError("invalid device specification: no path on the host");
    if (!/^[rwm]{0,3}$/.test(CgroupPermissions))
      throw new InvalidParameterError(`invalid device mode: ${CgroupPermissions}`);
  }
  for (const rule of DeviceCgroupRules ?? []) parseDeviceCgroupRule(rule);
  const request = DeviceRequests?.[0];
  if (request) throw noDriver(request);
}

/** What dockerd says at the start on a machine without the vendor's runtime hook or CDI; here before anything is made. */
function noDriver({ Driver, Capabilities }: DeviceRequest): InvalidParameterError {
  const capabilities = (Capabilities ?? []).map((all) => `[${all.join(" ")}]`).join(" ");
  return new InvalidParameterError(
    `could not select device driver ${JSON.stringify(Driver)} with capabilities: [${capabilities}]`,
  );
}
