import { expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Runs a shell script in a network namespace of its own, where iptables has no rules yet. */
function inEmptyNamespace(script: string): string {
  return execFileSync("unshare", ["--net", "sh", "-ec", script], {
    encoding: "utf8",
    cwd: join(import.meta.dirname, "../../.."),
  });
}

function call(name: string): string {
  const module = join(import.meta.dirname, "foreign-firewall.ts");
  return `${process.execPath} -e 'import { ${name} } from "${module}"; await ${name}("br-test");'`;
}

const PASS = call("passForeignFirewalls");
const FORGET = call("forgetForeignFirewalls");

test("passForeignFirewalls() lets the bridge through a FORWARD policy of DROP, once, and forgetForeignFirewalls() takes it back", () => {
  const before = "iptables -P FORWARD DROP";
  const rules = inEmptyNamespace(`${before}; ${PASS}; ${PASS}; iptables -S FORWARD`);
  expect(rules.trim().split("\n").sort()).toEqual([
    "-A FORWARD -i br-test -j ACCEPT",
    "-A FORWARD -o br-test -j ACCEPT",
    "-P FORWARD DROP",
  ]);
  expect(inEmptyNamespace(`${before}; ${PASS}; ${FORGET}; ${FORGET}; iptables -S FORWARD`)).toBe("-P FORWARD DROP\n");
});

test("passForeignFirewalls() and forgetForeignFirewalls() know the rules of IPv6 too", () => {
  const before = "ip6tables -P FORWARD DROP";
  expect(inEmptyNamespace(`${before}; ${PASS}; ip6tables -S FORWARD`)).toContain("-A FORWARD -i br-test -j ACCEPT\n");
  expect(inEmptyNamespace(`${before}; ${PASS}; ${FORGET}; ip6tables -S FORWARD`)).toBe("-P FORWARD DROP\n");
});

test("passForeignFirewalls() uses Docker's chain for others' rules", () => {
  const docker =
    "iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER; iptables -A DOCKER-USER -j RETURN";
  expect(inEmptyNamespace(`${docker}; ${PASS}; iptables -S DOCKER-USER`)).toBe(
    "-N DOCKER-USER\n-A DOCKER-USER -o br-test -j ACCEPT\n-A DOCKER-USER -i br-test -j ACCEPT\n-A DOCKER-USER -j RETURN\n",
  );
});

test("passForeignFirewalls() touches nothing where nothing drops", () => {
  expect(inEmptyNamespace(`${PASS}; nft list tables`)).toBe("");
  expect(inEmptyNamespace(`iptables -A FORWARD -j ACCEPT; ${PASS}; iptables -S FORWARD`)).toBe(
    "-P FORWARD ACCEPT\n-A FORWARD -j ACCEPT\n",
  );
});
