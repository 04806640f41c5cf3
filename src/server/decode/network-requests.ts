import { type Decoder, flag, list, object, text, textMap } from "#lib/json-decoder.ts";
import type {
  IpamConfig,
  NetworkConnectRequest,
  NetworkCreateRequest,
  NetworkDisconnectRequest,
} from "#spec/docker-networks.ts";
import { decodeEndpointSettings } from "./endpoint-settings.ts";

const ipamConfig = object<IpamConfig>({ Subnet: text, IPRange: text, Gateway: text, AuxiliaryAddresses: textMap }, {});

/** The body of `POST /networks/create`. */
export const decodeNetworkCreate: Decoder<NetworkCreateRequest> = object<NetworkCreateRequest>(
  {
    Name: text,
    CheckDuplicate: flag,
    Driver: text,
    Scope: text,
    Internal: flag,
    Attachable: flag,
    Ingress: flag,
    ConfigOnly: flag,
    ConfigFrom: object<NonNullable<NetworkCreateRequest["ConfigFrom"]>>({ Network: text }, {}),
    EnableIPv4: flag,
    EnableIPv6: flag,
    IPAM: object<NonNullable<NetworkCreateRequest["IPAM"]>>(
      { Driver: text, Options: textMap, Config: list(ipamConfig) },
      {},
    ),
    Options: textMap,
    Labels: textMap,
  },
  { Name: "" },
);

/** The body of `POST /networks/{id}/connect`. */
export const decodeNetworkConnect: Decoder<NetworkConnectRequest> = object<NetworkConnectRequest>(
  { Container: text, EndpointConfig: decodeEndpointSettings },
  { Container: "" },
);

/** The body of `POST /networks/{id}/disconnect`. */
export const decodeNetworkDisconnect: Decoder<NetworkDisconnectRequest> = object<NetworkDisconnectRequest>(
  { Container: text, Force: flag },
  { Container: "" },
);
