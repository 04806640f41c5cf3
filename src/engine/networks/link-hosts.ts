import { readFileSync, writeFileSync } from "node:fs";
import { type ContainerContext, containerFiles } from "#engine/containers/container-context.ts";
import { type ContainerRecord, isRunning } from "#engine/containers/container-record.ts";
import { isHostsTooLarge } from "#engine/containers/run/etc-files.ts";
import type { NetworkSandbox } from "#network/network-driver.ts";
import { bridgeAddress, linkedContainers, linkedNames } from "./legacy-links.ts";

/**
 * A container that starts again has another address: the lines of running containers that are linked to it follow, in place, as the files are mounted.
 * What their own programs made of the file stays.
 */
export function refreshLinkedHosts(context: ContainerContext, record: ContainerRecord, sandbox: NetworkSandbox): void {
  const address = bridgeAddress({ sandbox });
  if (address === undefined) return;
  for (const other of context.containers.list()) {
    if ((other.hostConfig.Links?.length ?? 0) === 0 || !isRunning(other)) continue;
    const aliases = linkedContainers(context.containers, other).flatMap(({ linked, alias }) =>
      linked.id === record.id ? [alias] : [],
    );
    if (aliases.length > 0) rewrite(containerFiles(context, other.id).hosts, record, aliases, address);
  }
}

function rewrite(path: string, record: ContainerRecord, aliases: readonly string[], address: string): void {
  if (isHostsTooLarge(path)) return;
  const ends = aliases.map((alias) => `\t${linkedNames(record, alias).join(" ")}`);
  const before = readFileSync(path, "utf8");
  const lines = before.split("\n").map((line) => {
    const end = ends.find(
      (candidate) => line.endsWith(candidate) && line.indexOf("\t") === line.length - candidate.length,
    );
    return end === undefined ? line : `${address}${end}`;
  });
  const after = lines.join("\n");
  if (after !== before) writeFileSync(path, after);
}
