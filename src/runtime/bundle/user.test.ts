import { expect, test } from "bun:test";
import { resolveUser } from "./user.ts";

const passwd =
  "root:x:0:0:root:/root:/bin/sh\n# comment\napp:x:1000:1001::/home/app:/bin/sh\n7:x:77:78::/seven:/bin/sh\n";
const group = "root:x:0:\nwheel:x:10:root\napps:x:1001:\naudio:x:29:app,root\n";
const resolve = (user: string, add: string[] = []): ReturnType<typeof resolveUser> =>
  resolveUser(user, add, passwd, group);

test("resolveUser() of nothing is root with its groups", () => {
  expect(resolve("")).toEqual({ uid: 0, gid: 0, additionalGids: [0, 10, 29], home: "/root" });
  expect(resolveUser("", [], "", "")).toEqual({ uid: 0, gid: 0, additionalGids: [0], home: "/" });
});

test("resolveUser() takes names and numbers for user and group", () => {
  expect(resolve("app")).toEqual({ uid: 1000, gid: 1001, additionalGids: [1001, 29], home: "/home/app" });
  expect(resolve("1000")).toEqual(resolve("app"));
  expect(resolve("app:audio")).toEqual({ uid: 1000, gid: 29, additionalGids: [29], home: "/home/app" });
  expect(resolve("4711:4712")).toEqual({ uid: 4711, gid: 4712, additionalGids: [4712], home: "/" });
});

test("resolveUser() prefers a name that looks like a number", () => {
  expect(resolve("7").uid).toBe(77);
});

test("resolveUser() adds groups by name and number", () => {
  expect(resolve("app", ["wheel", "99"]).additionalGids).toEqual([1001, 29, 10, 99]);
});

test("resolveUser() fails in Docker's words", () => {
  expect(() => resolve("zoe")).toThrow("unable to find user zoe: no matching entries in passwd file");
  expect(() => resolve("app:zoe")).toThrow("unable to find group zoe: no matching entries in group file");
  expect(() => resolve("app", ["zoe"])).toThrow("unable to find group zoe");
  expect(() => resolve("4294967295")).toThrow("uids and gids must be in range 0-2147483647");
  expect(() => resolve("-1")).toThrow("uids and gids must be in range 0-2147483647");
});
