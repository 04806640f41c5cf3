import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unmount } from "../mounts/mount.ts";
import { createNetworkNamespace } from "../network-namespace.ts";
import { nameBytes, nameOf, parseAttributes, writeAttributes } from "./message.ts";
import { type NetlinkRequest, NetlinkSocket } from "./socket.ts";

const NETLINK_ROUTE = 0;
const IFLA_IFNAME = 3;
const HEADER_SIZE = 16;

const directory = mkdtempSync(join(tmpdir(), "berth-netlink-"));
const namespace = join(directory, "ns");

beforeAll(() => {
  writeFileSync(namespace, "");
  createNetworkNamespace(namespace);
});

afterAll(async () => {
  await unmount(namespace);
  rmSync(directory, { recursive: true });
});

function aboutLink(name: string, type: number, interfaceName?: string): NetlinkRequest {
  const attributes = interfaceName === undefined ? [] : ([[IFLA_IFNAME, nameBytes(interfaceName)]] as const);
  const body = Buffer.concat([Buffer.alloc(HEADER_SIZE), writeAttributes(attributes)]);
  return { name, type, flags: 0, subject: interfaceName ?? "all", body };
}

const GET_LINK = 18;
const nameIn = (body: Uint8Array | undefined): string =>
  nameOf(parseAttributes(body?.subarray(HEADER_SIZE) ?? new Uint8Array()).get(IFLA_IFNAME));

describe("NetlinkSocket", () => {
  test("asks and lists in the namespace that it was opened in", async () => {
    using here = new NetlinkSocket(NETLINK_ROUTE);
    using there = new NetlinkSocket(NETLINK_ROUTE, namespace);
    expect(nameIn((await here.ask(aboutLink("RTM_GETLINK", GET_LINK, "lo")))[0])).toBe("lo");
    const names = (await here.list(aboutLink("RTM_GETLINK", GET_LINK))).map(nameIn);
    const shown = execFileSync("ip", ["-o", "link"], { encoding: "utf8" });
    expect(names).toContain("lo");
    expect(shown).toContain(names.at(1) ?? "lo");
    const inside = execFileSync("nsenter", [`--net=${namespace}`, "ip", "-o", "link"], { encoding: "utf8" });
    expect(await there.list(aboutLink("RTM_GETLINK", GET_LINK))).toHaveLength(inside.trim().split("\n").length);
  });

  test("a refusal names the call, what it was about, and has the kernel's own words", async () => {
    using socket = new NetlinkSocket(NETLINK_ROUTE, namespace);
    const missing = aboutLink("RTM_GETLINK", GET_LINK, "no-such-link");
    expect(socket.ask(missing)).rejects.toThrow('RTM_GETLINK "no-such-link": no such device (ENODEV)');
    const long = aboutLink("RTM_GETLINK", GET_LINK, "a-name-that-no-interface-has");
    expect(socket.ask(long)).rejects.toThrow(/\(ERANGE\): .+/);
  });

  test("one of several requests that is refused is told of, and the rest is done", async () => {
    using socket = new NetlinkSocket(NETLINK_ROUTE, namespace);
    const down = (name: string): NetlinkRequest => {
      const request = aboutLink("RTM_NEWLINK", 16, name);
      const body = Buffer.from(request.body);
      body.writeUInt32LE(0, 8);
      body.writeUInt32LE(1, 12);
      return { ...request, body };
    };
    expect(socket.change([down("no-such-link"), down("lo")])).rejects.toThrow('RTM_NEWLINK "no-such-link"');
    await socket.ask(aboutLink("RTM_GETLINK", GET_LINK, "lo"));
    expect(execFileSync("nsenter", [`--net=${namespace}`, "ip", "link", "show", "lo"], { encoding: "utf8" })).toContain(
      "state DOWN",
    );
  });

  test("refusals that are tolerated are none, and others are still told", async () => {
    using socket = new NetlinkSocket(NETLINK_ROUTE, namespace);
    const [missing, long] = ["no-such-link", "a-name-that-no-interface-has"].map((name) =>
      aboutLink("RTM_DELLINK", 17, name),
    );
    if (!missing || !long) throw new Error("unreachable");
    await socket.change([missing], ["ENODEV"]);
    expect(socket.change([missing, long], ["ENODEV"])).rejects.toThrow("(ERANGE)");
  });

  test("indexOf() tells the index in its namespace, and refuses names of none", () => {
    using there = new NetlinkSocket(NETLINK_ROUTE, namespace);
    expect(there.indexOf("lo")).toBe(1);
    expect(() => there.indexOf("no-such-link")).toThrow('SIOCGIFINDEX "no-such-link": no such device (ENODEV)');
    expect(() => there.indexOf("a-name-that-no-interface-has")).toThrow("(ENODEV)");
  });

  test("what is slow keeps others waiting for their turn, but not what is free of the lock; closed in the middle it ends well", async () => {
    const order: string[] = [];
    const done = (name: string) => () => void order.push(name);
    const requests = async (): Promise<void> => {
      using slow = new NetlinkSocket(NETLINK_ROUTE, namespace);
      using quick = new NetlinkSocket(NETLINK_ROUTE, namespace);
      using free = new NetlinkSocket(NETLINK_ROUTE, namespace);
      const link = aboutLink("RTM_GETLINK", GET_LINK, "lo");
      pending.push(slow.ask({ ...link, isSlow: true }).then(done("slow")));
      pending.push(quick.ask(link).then(done("quick")));
      pending.push(free.ask({ ...link, isLockFree: true }).then(done("free")));
    };
    const pending: Promise<void>[] = [];
    await requests();
    await Promise.all(pending);
    expect(order).toEqual(["free", "slow", "quick"]);
  });
});
