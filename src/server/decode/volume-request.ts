import { type Decoder, object, text, textMap } from "#lib/json-decoder.ts";
import type { VolumeCreateRequest } from "#spec/docker-volumes.ts";

/** The body of `POST /volumes/create`. */
export const decodeVolumeCreate: Decoder<VolumeCreateRequest> = object<VolumeCreateRequest>(
  { Name: text, Driver: text, DriverOpts: textMap, Labels: textMap },
  {},
);
