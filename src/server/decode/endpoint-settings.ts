import { type Decoder, integer, object, text, textList, textMap } from "#lib/json-decoder.ts";
import type { EndpointSettings } from "#spec/docker-containers.ts";

/** What a client wishes of a container's place on a network. Answers of an engine may come back with it. */
export const decodeEndpointSettings: Decoder<EndpointSettings> = object<EndpointSettings>(
  {
    IPAMConfig: object<NonNullable<EndpointSettings["IPAMConfig"]>>(
      { IPv4Address: text, IPv6Address: text, LinkLocalIPs: textList },
      {},
    ),
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
