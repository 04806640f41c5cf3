import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { ContainerContext, ContainerFiles } from "#engine/containers/container-context.ts";
import type { ContainerRecord } from "#engine/containers/container-record.ts";
import type { ContainerSettings } from "#engine/containers/container-settings.ts";
import { linkLines } from "#engine/networks/legacy-links.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { renderHosts } from "#network/hosts-file.ts";
import { NAME_SERVER_ADDRESS } from "#network/names/name-record.ts";
import type { NetworkSandbox } from "#network/network-driver.ts";
import { type ResolvConfOptions, readHostResolvConf, renderResolvConf } from "#network/resolv-conf.ts";
import type { HostConfig } from "#spec/docker-containers.ts";

/** Bytes. */
const MAX_HOSTS = 1024 * 1024;

export interface EtcFiles {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

/** The texts of /etc/hosts, /etc/hostname and /etc/resolv.conf, which differ per container and are bound over the image's. */
export async function etcFiles(
  context: ContainerContext,
  record: ContainerRecord,
  sandbox: NetworkSandbox | undefined,
): Promise<EtcFiles> {
  const { config, hostConfig } = record;
  const hostname = config.Hostname ?? "";
  const extraHosts = hostConfig.ExtraHosts ?? [];
  const hasIpv6 = !disablesIpv6(hostConfig);
  return {
    hosts: renderHosts({
      hostname,
      ...(config.Domainname ? { domainname: config.Domainname } : {}),
      addresses: (sandbox?.endpoints ?? []).flatMap(({ ipv4, ipv6 }) =>
        [ipv4, hasIpv6 ? ipv6 : ""].filter((address) => address !== ""),
      ),
      hasIpv6,
      others: linkLines(context, record),
      extraHosts,
      hostGateway: await hostGateway(context, extraHosts),
      ...(hostConfig.NetworkMode === "host" ? { base: await readFile("/etc/hosts", "utf8") } : {}),
    }),
    hostname: `${hostname}\n`,
    resolvConf: renderResolvConf({
      host: await readHostResolvConf(),
      ...resolverSettings(context.settings, hostConfig),
      ...(sandbox?.hasNames ? { nameService: NAME_SERVER_ADDRESS } : {}),
      ...(hostConfig.NetworkMode === "host" ? { sharesHost: true } : {}),
    }),
  };
}

/** Whether the container's own kernel parameters take IPv6 from all its interfaces. */
function disablesIpv6({ Sysctls }: HostConfig): boolean {
  return Object.entries(Sysctls ?? {}).some(
    ([name, value]) => value === "1" && name.replaceAll("/", ".") === "net.ipv6.conf.all.disable_ipv6",
  );
}

/** The /etc files as mounts of a container; read-only where its root is. A destination that is `taken` by a mount of the user's is left out. */
export function etcMounts(
  files: ContainerFiles,
  { hostConfig }: Pick<ContainerRecord, "hostConfig">,
  taken: ReadonlySet<string>,
): { readonly source: string; readonly destination: string; readonly readonly: boolean }[] {
  const readonly = hostConfig.ReadonlyRootfs ?? false;
  return [
    { source: files.resolvConf, destination: "/etc/resolv.conf", readonly },
    { source: files.hostname, destination: "/etc/hostname", readonly },
    { source: files.hosts, destination: "/etc/hosts", readonly },
  ].filter(({ destination }) => !taken.has(destination));
}

/** A file that the container's own programs have made too large for the engine to touch. */
export function isHostsTooLarge(path: string): boolean {
  return statSync(path).size > MAX_HOSTS;
}

/** What a container asks of names, or else the engine's configuration. */
export function resolverSettings(
  { dns, dnsSearch, dnsOptions }: ContainerSettings,
  own: HostConfig = {},
): Pick<ResolvConfOptions, "dns" | "search" | "options"> {
  const given = (list: readonly string[] | null | undefined, fallback: readonly string[]): readonly string[] =>
    list && list.length > 0 ? list : fallback;
  return {
    dns: given(own.Dns, dns),
    search: given(own.DnsSearch, dnsSearch),
    options: given(own.DnsOptions, dnsOptions),
  };
}

/**
 * Where containers reach this host: as the engine's configuration says, or else the default bridge's gateway, which is made for it if need be. Throws
 * InvalidParameterError in Docker's words where there is neither.
 */
export async function hostGateway(
  { networks, settings }: Pick<ContainerContext, "networks" | "settings">,
  extraHosts: readonly string[],
): Promise<string> {
  if (!extraHosts.some((text) => text.endsWith("host-gateway"))) return "";
  if (settings.hostGateway !== "") return settings.hostGateway;
  const bridge = networks.defaultBridge();
  if (!bridge) throw new InvalidParameterError("unable to derive the IP value for host-gateway");
  return (await networks.ready(bridge)).ipv4?.gateway ?? "";
}
