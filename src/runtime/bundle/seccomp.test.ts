import { expect, test } from "bun:test";
import type { RuntimeSeccomp } from "#spec/oci-runtime.ts";
import { DEFAULT_CAPABILITIES } from "./capabilities.ts";
import { SeccompProfiles } from "./seccomp.ts";

const profiles = new SeccompProfiles();

function actions(profile: RuntimeSeccomp, name: string): string[] {
  return profile.syscalls
    .filter((rule) => rule.names.includes(name))
    .map((rule) => `${rule.action.slice("SCMP_ACT_".length)}${rule.errnoRet ?? ""}${rule.args ? "?" : ""}`);
}

test("SeccompProfiles.default() allows what Docker allows and withholds what Podman's profile alone allows", () => {
  const profile = profiles.default(DEFAULT_CAPABILITIES);
  expect(profile.defaultAction).toBe("SCMP_ACT_ERRNO");
  expect(profile.defaultErrnoRet).toBe(38);
  expect(actions(profile, "openat")).toEqual(["ALLOW"]);
  for (const name of ["mount", "unshare", "setns", "keyctl", "pivot_root", "bpf", "syslog", "reboot"]) {
    expect([name, ...new Set(actions(profile, name))]).toEqual([name, "ERRNO1"]);
  }
  for (const name of ["io_uring_setup", "add_key", "timerfd"]) expect(actions(profile, name)).not.toContain("ALLOW");
  expect(actions(profile, "clone")).toEqual(["ALLOW?", ...Array<string>(7).fill("ERRNO1?")]);
  expect(actions(profile, "clone3")).toEqual(["ERRNO38"]);
  expect(actions(profile, "socket")).toEqual(["ALLOW?", "ALLOW?", "ALLOW?"]);
  expect(actions(profile, "chroot")).toEqual(["ALLOW"]);
});

test("SeccompProfiles.default() gives calls back with their capability", () => {
  const profile = profiles.default([...DEFAULT_CAPABILITIES, "CAP_SYS_ADMIN"]);
  for (const name of ["mount", "unshare", "clone", "clone3", "bpf"]) expect(actions(profile, name)).toEqual(["ALLOW"]);
  expect(actions(profile, "keyctl")).toEqual(["ERRNO1"]);
  expect(actions(profiles.default(["CAP_SYSLOG"]), "syslog")).toEqual(["ALLOW"]);
});

test("SeccompProfiles.default() of the same capabilities is computed once", () => {
  expect(profiles.default(DEFAULT_CAPABILITIES)).toBe(profiles.default(DEFAULT_CAPABILITIES));
});

test("SeccompProfiles.custom() takes a client's profile as it is and refuses text that is none", () => {
  const own = profiles.custom(
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"chmod","action":"SCMP_ACT_ERRNO"}]}',
    [],
  );
  expect(own.defaultAction).toBe("SCMP_ACT_ALLOW");
  expect(actions(own, "chmod")).toEqual(["ERRNO1"]);
  expect(() => profiles.custom("nonsense", [])).toThrow("Decoding seccomp profile failed");
});

test("SeccompProfiles.default() names the Debian package when the profile is missing", () => {
  expect(() => new SeccompProfiles("/nonexistent").default([])).toThrow("golang-github-containers-common");
});
