import { afterAll, beforeAll, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unmount } from "#sys/mounts/mount.ts";
import { NetlinkSocket } from "#sys/netlink/socket.ts";
import { createNetworkNamespace } from "#sys/network-namespace.ts";
import { deleteTable, NETLINK_NETFILTER, newTable, transaction } from "../nft/messages.ts";
import { redirectNames } from "./redirect.ts";

const directory = mkdtempSync(join(tmpdir(), "berth-redirect-"));
const namespace = join(directory, "ns");

beforeAll(() => {
  writeFileSync(namespace, "");
  createNetworkNamespace(namespace);
});

afterAll(async () => {
  await unmount(namespace);
  rmSync(directory, { recursive: true });
});

function nft(...args: readonly string[]): string {
  return execFileSync("nsenter", [`--net=${namespace}`, "nft", "-n", ...args], { encoding: "utf8" });
}

const EXPECTED = `table ip berth_names {
	chain output {
		type nat hook output priority -100; policy accept;
		ip daddr 127.0.0.11 udp dport 53 dnat to 127.0.0.11:61053
		ip daddr 127.0.0.11 tcp dport 53 dnat to 127.0.0.11:61053
	}
}
`;

test("redirectNames() makes the rules that nft reads as it would write them, once however often it is called", async () => {
  await redirectNames(namespace);
  expect(nft("list", "ruleset")).toBe(EXPECTED);
  nft("add", "rule", "ip", "berth_names", "output", "counter");
  await redirectNames(namespace);
  expect(nft("list", "ruleset")).toBe(EXPECTED);
});

test("a transaction() of which the kernel refuses a part changes nothing, and says which", async () => {
  const before = nft("list", "ruleset");
  using socket = new NetlinkSocket(NETLINK_NETFILTER, namespace);
  expect(socket.change(transaction([newTable("made"), deleteTable("no-such-table")]))).rejects.toThrow(
    'NFT_MSG_DELTABLE "no-such-table": no such file or directory (ENOENT)',
  );
  await socket.change(transaction([newTable("made"), deleteTable("made")]));
  expect(nft("list", "ruleset")).toBe(before);
});
