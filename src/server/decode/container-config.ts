import { CONTAINER_DEFAULTS_FIELDS } from "#engine/images/image-config.ts";
import { type Decoder, type Fields, flag, object, text } from "#lib/json-decoder.ts";
import type { ContainerConfig } from "#spec/docker-containers.ts";

/** `Config` stands at the top of the body of create, beside HostConfig. */
export const CONTAINER_CONFIG_FIELDS: Fields<ContainerConfig> = {
  ...CONTAINER_DEFAULTS_FIELDS,
  Hostname: text,
  Domainname: text,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  Tty: flag,
  OpenStdin: flag,
  StdinOnce: flag,
  Image: text,
  MacAddress: text,
  NetworkDisabled: flag,
};

/** The body of `POST /commit`: what to replace in the container's Config. */
export const decodeContainerConfig: Decoder<ContainerConfig> = object(CONTAINER_CONFIG_FIELDS, {});
