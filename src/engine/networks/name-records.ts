import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { type ContainerContext, containerFiles } from "#engine/containers/container-context.ts";
import { type ContainerRecord, isRunning } from "#engine/containers/container-record.ts";
import { etcFiles, isHostsTooLarge, resolverSettings } from "#engine/containers/run/etc-files.ts";
import { writeResolvConf } from "#engine/containers/run/written-resolv-conf.ts";
import { gatewayEndpoint } from "#network/default-route.ts";
import type { NameRecord } from "#network/names/name-record.ts";
import type { NetworkEndpoint, NetworkSandbox } from "#network/network-driver.ts";
import { hostNameServers, readHostResolvConf } from "#network/resolv-conf.ts";
import { dnsNames } from "./dns-names.ts";
import { isUserDefined } from "./network-registry.ts";

/** What containers need of the name service. */
export interface NameService {
  publish(record: Omit<NameRecord, "serial">): Promise<void>;
  withdraw(containerId: string): void;
  restore(records: readonly Omit<NameRecord, "serial">[]): Promise<void>;
  close(): void;
  cleanUp(): Promise<void>;
}

/** Whether containers on these networks ask the name service: on the default bridge there are no names. */
export function needsNames(networkNames: readonly string[]): boolean {
  return networkNames.some(isUserDefined);
}

/** Makes a container find and be found by its names, if its sandbox has the name service. */
export async function publishNames(
  context: ContainerContext,
  record: ContainerRecord,
  sandbox: NetworkSandbox | undefined,
): Promise<void> {
  if (sandbox?.hasNames) await context.names.publish(await nameRecord(context, record, sandbox));
}

/** At start-up, for the containers that run. */
export async function restoreNames(context: ContainerContext): Promise<void> {
  const records = context.containers.list().flatMap((record) => {
    const { sandbox } = record;
    return isRunning(record) && sandbox?.hasNames ? [nameRecord(context, record, sandbox)] : [];
  });
  await context.names.restore(await Promise.all(records));
}

/** The record of a container. Names outside are asked for by its own servers, or by this host's: on its loopback too, as the service is here. */
async function nameRecord(
  context: ContainerContext,
  record: ContainerRecord,
  sandbox: NetworkSandbox,
): Promise<Omit<NameRecord, "serial">> {
  const { endpoints } = sandbox;
  const hasWayOut = gatewayEndpoint(endpoints, 4) !== undefined || gatewayEndpoint(endpoints, 6) !== undefined;
  const own = resolverSettings(context.settings, record.hostConfig).dns;
  const servers = own.length > 0 ? own : hostNameServers(await readHostResolvConf());
  return {
    containerId: record.id,
    netnsPath: sandbox.netnsPath,
    servers: hasWayOut ? servers : [],
    networks: outsideFirst(endpoints).flatMap((endpoint) =>
      isUserDefined(endpoint.networkName)
        ? [
            {
              id: endpoint.networkId,
              name: endpoint.networkName,
              ipv4: endpoint.ipv4,
              ipv6: endpoint.ipv6,
              names: dnsNames(record, record.endpointRequests[endpoint.networkName] ?? {}),
              links: linksOf(record.endpointRequests[endpoint.networkName]?.Links ?? []),
            },
          ]
        : [],
    ),
  };
}

function outsideFirst(endpoints: readonly NetworkEndpoint[]): readonly NetworkEndpoint[] {
  const first = gatewayEndpoint(endpoints, 4) ?? gatewayEndpoint(endpoints, 6);
  return endpoints.toSorted((a, b) => Number(b === first) - Number(a === first));
}

/** `NAME[:ALIAS]` as alias → name. */
function linksOf(links: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    links.map((link) => {
      const [name = "", alias] = link.replace(/^\//, "").split(":");
      return [(alias ?? name).split("/").at(-1) ?? "", name];
    }),
  );
}

/**
 * Brings a running container's /etc files up to date after it was connected or disconnected: its own lines in hosts, in place, as the files are
 * mounted; and resolv.conf when it has just got the name service.
 */
export async function refreshEtcFiles(
  context: ContainerContext,
  record: ContainerRecord,
  before: NetworkSandbox,
  after: NetworkSandbox,
): Promise<void> {
  const files = containerFiles(context, record.id);
  const gone = addressesOf(before).filter((address) => !addressesOf(after).includes(address));
  const come = addressesOf(after).filter((address) => !addressesOf(before).includes(address));
  if (!isHostsTooLarge(files.hosts)) {
    if (gone.length > 0) {
      const lines = readFileSync(files.hosts, "utf8").split("\n");
      writeFileSync(
        files.hosts,
        lines.filter((line) => !gone.some((address) => line.startsWith(`${address}\t`))).join("\n"),
      );
    }
    const hostname = record.config.Hostname ?? "";
    for (const address of come) appendFileSync(files.hosts, `${address}\t${hostname}\n`);
  }
  if (after.hasNames && !before.hasNames) {
    writeResolvConf(files, (await etcFiles(context, record, after)).resolvConf);
  }
}

function addressesOf({ endpoints }: NetworkSandbox): readonly string[] {
  return endpoints.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]).filter((address) => address !== "");
}
