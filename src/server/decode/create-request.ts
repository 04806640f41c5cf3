import { type Decoder, integer, map, object, text, textList, textMap } from "#lib/json-decoder.ts";
import type { ContainerCreateRequest, EndpointSettings } from "#spec/docker-api.ts";
import { CONTAINER_CONFIG_FIELDS } from "./container-config.ts";
import { decodeHostConfig } from "./host-config.ts";

type NetworkingConfig = NonNullable<ContainerCreateRequest["NetworkingConfig"]>;

const endpointSettings = object<EndpointSettings>(
  {
    IPAMConfig: object<NonNullable<EndpointSettings["IPAMConfig"]>>({ IPv4Address: text, IPv6Address: text }, {}),
    Links: textList,
    Aliases: textList,
    MacAddress: text,
    DriverOpts: textMap,
    GwPriority: integer,
    NetworkID: text,
    EndpointID: text,
    Gateway: text,
    IPAddress: text,
    IPPrefixLen: integer,
    IPv6Gateway: text,
    GlobalIPv6Address: text,
    GlobalIPv6PrefixLen: integer,
    DNSNames: textList,
  },
  {},
);

/** The body of `POST /containers/create`. */
export const decodeCreateRequest: Decoder<ContainerCreateRequest> = object<ContainerCreateRequest>(
  {
    ...CONTAINER_CONFIG_FIELDS,
    HostConfig: decodeHostConfig,
    NetworkingConfig: object<NetworkingConfig>({ EndpointsConfig: map(endpointSettings, {}) }, {}),
  },
  {},
);
