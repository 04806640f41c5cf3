import { afterAll, beforeAll, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unmount } from "#sys/mounts/mount.ts";
import { NetlinkSocket } from "#sys/netlink/socket.ts";
import { createNetworkNamespace } from "#sys/network-namespace.ts";
import { NETLINK_NETFILTER, transaction } from "./messages.ts";
import { type PublishedPort, portRequests } from "./port-elements.ts";
import { renderTable } from "./rules.ts";

const directory = mkdtempSync(join(tmpdir(), "berth-ports-"));
const namespace = join(directory, "ns");
const TABLE = "berth_test";

beforeAll(() => {
  writeFileSync(namespace, "");
  createNetworkNamespace(namespace);
});

afterAll(async () => {
  await unmount(namespace);
  rmSync(directory, { recursive: true });
});

function nft(args: readonly string[], input = ""): string {
  return execFileSync("nsenter", [`--net=${namespace}`, "nft", ...args], { encoding: "utf8", input });
}

/** Both tables with the ports that nft itself puts there, listed in one order. */
function tablesWith(ports: readonly PublishedPort[]): string {
  const of = (family: 4 | 6): string => {
    const own = ports.filter(({ containerAddress }) => containerAddress.includes(":") === (family === 6));
    return renderTable(family, TABLE, [], own);
  };
  nft(["-f", "-"], of(4) + of(6));
  return listed();
}

function listed(): string {
  // Sets list their elements in the order of hashes.
  return nft(["-n", "list", "ruleset"])
    .replaceAll(/elements = \{([^}]*)\}/g, (_, list: string) =>
      list
        .split(",")
        .map((element) => element.trim())
        .toSorted()
        .join(", "),
    )
    .trim();
}

async function change(action: "add" | "delete", ports: readonly PublishedPort[]): Promise<void> {
  using socket = new NetlinkSocket(NETLINK_NETFILTER, namespace);
  await socket.change(transaction(portRequests(TABLE, action, ports)));
}

const web: PublishedPort = {
  containerAddress: "172.18.0.2",
  containerPort: 80,
  protocol: "tcp",
  hostIp: "0.0.0.0",
  hostPort: 8080,
  isOpen: false,
};
const PORTS: readonly PublishedPort[] = [
  web,
  { ...web, hostPort: 65535, containerPort: 258, protocol: "udp" },
  { ...web, hostPort: 1, protocol: "sctp", isOpen: true },
  { ...web, hostIp: "127.0.0.1", hostPort: 8081, isOpen: true },
  { ...web, hostIp: "127.0.0.1", hostPort: 8082, isOpen: true },
  { ...web, containerAddress: "fd00::2", hostIp: "::" },
  { ...web, containerAddress: "fd00::2", hostIp: "fd01::1", hostPort: 0, isOpen: true, protocol: "udp" },
];

test("portRequests() puts into the kernel what nft would, and takes it back", async () => {
  const wanted = tablesWith(PORTS);
  const empty = tablesWith([]);
  expect(wanted).not.toBe(empty);
  await change("add", PORTS);
  expect(listed()).toBe(wanted);
  // Once more changes nothing.
  await change("add", PORTS);
  expect(listed()).toBe(wanted);
  await change("delete", PORTS);
  expect(listed()).toBe(empty);
});

test("portRequests() of a thousand ports is one transaction, and of what is not there none", async () => {
  const range = Array.from({ length: 1000 }, (_, index) => ({
    ...web,
    hostPort: 20000 + index,
    containerPort: index + 1,
  }));
  const wanted = tablesWith(range);
  const empty = tablesWith([]);
  await change("add", range);
  expect(listed()).toBe(wanted);
  expect(change("delete", [...range, { ...web, hostPort: 9 }])).rejects.toThrow("NFT_MSG_DELSETELEM");
  expect(listed()).toBe(wanted);
  await change("delete", range);
  expect(listed()).toBe(empty);
});
