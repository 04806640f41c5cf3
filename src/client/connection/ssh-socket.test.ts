import { expect, test } from "bun:test";
import { parseEndpoint } from "./endpoint.ts";
import { sshCommand } from "./ssh-socket.ts";

test("sshCommand() gives ssh its options, ends them, and names the socket of the far end", () => {
  const words = (address: string): string[] => {
    const endpoint = parseEndpoint(address);
    if (endpoint.kind !== "ssh") throw new Error("not ssh");
    return sshCommand(endpoint);
  };
  const remote = (dial: string): string =>
    `if command -v berth >/dev/null; then exec berth ${dial}; else exec docker ${dial}; fi`;
  expect(words("ssh://host")).toEqual([
    ...["ssh", "-o", "ConnectTimeout=30", "-T", "--", "host"],
    remote("system dial-stdio"),
  ]);
  expect(words("ssh://me@host:2222/run/x.sock")).toEqual([
    ...["ssh", "-o", "ConnectTimeout=30", "-T", "-l", "me", "-p", "2222", "--", "host"],
    remote("--host unix:///run/x.sock system dial-stdio"),
  ]);
});
