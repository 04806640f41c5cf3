import { readFile } from "node:fs/promises";
import { renderHosts } from "#network/hosts-file.ts";
import type { NetworkEndpoint } from "#network/network-driver.ts";
import { readHostResolvConf, renderResolvConf } from "#network/resolv-conf.ts";
import type { ContainerRecord } from "./container-record.ts";

export interface EtcFiles {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

/** The texts of /etc/hosts, /etc/hostname and /etc/resolv.conf, which differ per container and are bound over the image's. */
export async function etcFiles(
  record: ContainerRecord,
  endpoint: NetworkEndpoint | undefined,
  hostGateway: string,
): Promise<EtcFiles> {
  const { config, hostConfig } = record;
  const hostname = config.Hostname ?? "";
  return {
    hosts: renderHosts({
      hostname,
      ...(config.Domainname ? { domainname: config.Domainname } : {}),
      ipv4: endpoint?.ipv4 || undefined,
      extraHosts: hostConfig.ExtraHosts ?? [],
      hostGateway,
      ...(hostConfig.NetworkMode === "host" ? { base: await readFile("/etc/hosts", "utf8") } : {}),
    }),
    hostname: `${hostname}\n`,
    resolvConf: renderResolvConf({
      host: await readHostResolvConf(),
      dns: hostConfig.Dns ?? [],
      search: hostConfig.DnsSearch ?? [],
      options: hostConfig.DnsOptions ?? [],
    }),
  };
}
