import { expect, test } from "bun:test";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type NftablesTransaction, watchNftables } from "./nftables-events.ts";

test("watchNftables() tells who changed which tables, until it is disposed", async () => {
  const table = `berth_test_${randomBytes(4).toString("hex")}`;
  const seen: NftablesTransaction[] = [];
  const mine = (): NftablesTransaction[] => seen.filter(({ tables }) => tables.has(table));
  const watch = watchNftables((transaction) => void (transaction && seen.push(transaction)));
  const nft = spawn("nft", ["-f", "-"], { stdio: ["pipe", "ignore", "ignore"] });
  nft.stdin.end(`add table ip ${table}\nadd chain ip ${table} one\nadd rule ip ${table} one accept\n`);
  await once(nft, "exit");
  execFileSync("nft", ["flush", "table", "ip", table]);
  execFileSync("nft", ["delete", "table", "ip", table]);
  for (let attempt = 0; attempt < 100 && mine().length < 3; attempt++) await Bun.sleep(10);
  expect(mine()).toHaveLength(3);
  expect(mine()[0]?.port).toBe(nft.pid ?? 0);
  watch[Symbol.dispose]();
  execFileSync("nft", ["add", "table", "ip", table]);
  execFileSync("nft", ["delete", "table", "ip", table]);
  await Bun.sleep(50);
  expect(mine()).toHaveLength(3);
});
