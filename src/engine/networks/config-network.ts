import { ForbiddenError, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import type { NetworkCreateRequest } from "#spec/docker-networks.ts";

/** What networks take over that are made from a configuration network. */
type LentPart = Pick<NetworkCreateRequest, "EnableIPv4" | "EnableIPv6" | "IPAM" | "Options" | "Labels">;

/** A network that only lends its configuration to others (`--config-only`): nothing of it is on this host, and nobody connects to it. */
export interface ConfigNetwork extends LentPart {
  readonly configOnly: true;
  readonly id: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
}

/** Throws ForbiddenError, in Docker's words, for what a configuration network cannot have, or a network made from one. */
export function checkConfigUse(request: NetworkCreateRequest): void {
  const { ConfigOnly, ConfigFrom, Internal, Attachable, Ingress, Scope } = request;
  const isDependent = Boolean(ConfigFrom?.Network);
  if (ConfigOnly) {
    if (Internal || Attachable || Ingress || Scope)
      throw new ForbiddenError(
        "configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | attachable | scope ] are not supported.",
      );
    if (isDependent) throw new ForbiddenError("a configuration network cannot depend on another configuration network");
    return;
  }
  if (!isDependent) return;
  const { IPAM, EnableIPv6, Labels, Options } = request;
  const hasOwnIpam =
    !["", "default"].includes(IPAM?.Driver ?? "") ||
    (IPAM?.Config?.length ?? 0) > 0 ||
    Object.keys(IPAM?.Options ?? {}).length > 0;
  if (hasOwnIpam || EnableIPv6 || Object.keys(Labels ?? {}).length > 0)
    throw new ForbiddenError(
      "user specified configurations are not supported if the network depends on a configuration network",
    );
  if (Object.keys(Options ?? {}).length > 0)
    throw new ForbiddenError(
      "network driver options are not supported if the network depends on a configuration network",
    );
}

/** The request with what the configuration network lends. */
export function withConfigOf(request: NetworkCreateRequest, config: ConfigNetwork | undefined): NetworkCreateRequest {
  const name = request.ConfigFrom?.Network ?? "";
  if (name === "") return request;
  if (!config) throw new NotFoundError(`configuration network "${name}" does not exist`);
  const { EnableIPv4, EnableIPv6, IPAM, Options, Labels } = config;
  return {
    ...request,
    ...(EnableIPv4 === undefined ? {} : { EnableIPv4 }),
    ...(EnableIPv6 === undefined ? {} : { EnableIPv6 }),
    ...(IPAM ? { IPAM } : {}),
    ...(Options ? { Options } : {}),
    ...(Labels ? { Labels } : {}),
  };
}

export function configNetwork(id: string, request: NetworkCreateRequest): ConfigNetwork {
  const { Name, EnableIPv4, EnableIPv6, IPAM, Options, Labels } = request;
  return {
    configOnly: true,
    id,
    name: Name,
    created: Date.now(),
    ...(EnableIPv4 === undefined ? {} : { EnableIPv4 }),
    ...(EnableIPv6 === undefined ? {} : { EnableIPv6 }),
    ...(IPAM ? { IPAM } : {}),
    ...(Options ? { Options } : {}),
    ...(Labels ? { Labels } : {}),
  };
}

/** In Docker's words, for who would connect to one. */
export function noEndpoints(): InvalidParameterError {
  return new InvalidParameterError("cannot create endpoint on configuration-only network");
}
