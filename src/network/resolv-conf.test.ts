import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readHostResolvConf, renderResolvConf } from "./resolv-conf.ts";

const NONE = { dns: [], search: [], options: [] };

describe("renderResolvConf()", () => {
  test("keeps the host's servers, search and options", () => {
    const host =
      "# by hand\nnameserver 10.0.0.2 # first\nnameserver 10.0.0.3\nsearch old\nsearch example.org lan\noptions ndots:2 edns0\n";
    expect(renderResolvConf({ ...NONE, host })).toBe(
      "nameserver 10.0.0.2\nnameserver 10.0.0.3\nsearch example.org lan\noptions ndots:2 edns0\n",
    );
  });

  test("leaves out servers that a container cannot reach, and falls back to Docker's", () => {
    const host = "nameserver 127.0.0.1\nnameserver ::1\nnameserver fe80::1%eth0\nnameserver 2001:db8::1\n";
    expect(renderResolvConf({ ...NONE, host })).toBe("nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
    expect(renderResolvConf({ ...NONE, host: `${host}nameserver 192.0.2.1\n` })).toBe("nameserver 192.0.2.1\n");
    expect(renderResolvConf({ ...NONE, host: "" })).toBe("nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
  });

  test("--dns, --dns-search and --dns-option replace the host's lines", () => {
    const host = "nameserver 10.0.0.2\nsearch lan\noptions ndots:2\n";
    expect(renderResolvConf({ host, dns: ["127.0.0.1"], search: ["."], options: ["timeout:1"] })).toBe(
      "nameserver 127.0.0.1\noptions timeout:1\n",
    );
  });
});

describe("readHostResolvConf()", () => {
  let scratch: string;
  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), "berth-resolv-"));
  });
  afterEach(() => rmSync(scratch, { recursive: true, force: true }));

  test("looks behind systemd-resolved's stub, if it is the only server", async () => {
    const [host, systemd] = [join(scratch, "host"), join(scratch, "systemd")];
    writeFileSync(host, "nameserver 127.0.0.53\noptions edns0\n");
    expect(await readHostResolvConf(host, systemd)).toContain("127.0.0.53");
    writeFileSync(systemd, "nameserver 10.0.0.2\n");
    expect(await readHostResolvConf(host, systemd)).toBe("nameserver 10.0.0.2\n");
    writeFileSync(host, "nameserver 127.0.0.53\nnameserver 10.9.9.9\n");
    expect(await readHostResolvConf(host, systemd)).toContain("10.9.9.9");
  });

  test("is empty where the host has none", async () => {
    expect(await readHostResolvConf(join(scratch, "absent"))).toBe("");
  });
});
