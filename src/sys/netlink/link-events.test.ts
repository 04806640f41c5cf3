import { expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { watchDeletedLinks } from "./link-events.ts";

test("watchDeletedLinks() tells of interfaces that go, not of ports that leave a bridge, until it is disposed", async () => {
  const mark = randomBytes(3).toString("hex");
  const [bridge, pair] = [`tb${mark}`, `tv${mark}`];
  const gone: string[] = [];
  const watch = watchDeletedLinks((name) => void (name?.includes(mark) && gone.push(name)));
  const ip = (...args: string[]): unknown => execFileSync("ip", args);
  ip("link", "add", bridge, "type", "bridge");
  ip("link", "add", pair, "type", "veth", "peer", "name", `tp${mark}`);
  ip("link", "set", pair, "master", bridge);
  ip("link", "set", pair, "nomaster");
  ip("link", "del", bridge);
  for (let attempt = 0; attempt < 100 && gone.length < 1; attempt++) await Bun.sleep(10);
  expect(gone).toEqual([bridge]);
  watch[Symbol.dispose]();
  ip("link", "del", pair);
  await Bun.sleep(50);
  expect(gone).toEqual([bridge]);
});
