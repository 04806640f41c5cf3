import { type Decoder, map, object } from "#lib/json-decoder.ts";
import type { ContainerCreateRequest } from "#spec/docker-containers.ts";
import { CONTAINER_CONFIG_FIELDS } from "./container-config.ts";
import { decodeEndpointSettings } from "./endpoint-settings.ts";
import { decodeHostConfig } from "./host-config.ts";

type NetworkingConfig = NonNullable<ContainerCreateRequest["NetworkingConfig"]>;

/** The body of `POST /containers/create`. */
export const decodeCreateRequest: Decoder<ContainerCreateRequest> = object<ContainerCreateRequest>(
  {
    ...CONTAINER_CONFIG_FIELDS,
    HostConfig: decodeHostConfig,
    NetworkingConfig: object<NetworkingConfig>({ EndpointsConfig: map(decodeEndpointSettings, {}) }, {}),
  },
  {},
);
