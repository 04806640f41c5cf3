import { readFileSync } from "node:fs";
import { isLoopbackAddress } from "./loopback.ts";

/**
 * Whether this machine's /etc/hosts says that a name is this machine, and nothing else. dockerd asks the name service, so that whoever answers for it
 * can have a registry spoken to without TLS; what stands in this file is the administrator's word.
 */
export function isNamedLoopback(host: string, path = "/etc/hosts"): boolean {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return false;
  }
  const addresses = text.split("\n").flatMap((line) => {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    return names.some((name) => name.toLowerCase() === host.toLowerCase()) ? [address] : [];
  });
  return addresses.length > 0 && addresses.every(isLoopbackAddress);
}
