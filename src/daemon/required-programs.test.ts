import { expect, test } from "bun:test";
import { checkRequirements } from "./required-programs.ts";

test("checkRequirements() names all that is missing, with the packages", () => {
  expect(() => checkRequirements((thing) => ["crun"].includes(thing))).toThrow(
    "cannot run containers: not installed: conmon, nft, /usr/share/containers/seccomp.json; " +
      "on Debian: apt-get install conmon nftables golang-github-containers-common",
  );
  expect(() => checkRequirements(() => true)).not.toThrow();
  expect(() => checkRequirements(() => false)).toThrow("runc or crun, conmon");
});
