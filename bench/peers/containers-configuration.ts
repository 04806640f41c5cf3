import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PeerOptions } from "./peer.ts";

/** Files that stand in for /etc/containers, so that this machine's own settings change nothing. */
export function writeContainersConfiguration({
  directory,
  runDirectory,
  registry,
}: PeerOptions): Record<string, string> {
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  mkdirSync(join(directory, "networks"), { recursive: true });
  return {
    CONTAINERS_CONF: file(
      "containers.conf",
      '[containers]\nlog_driver = "k8s-file"\n[network]\nnetwork_backend = "netavark"\n',
    ),
    CONTAINERS_REGISTRIES_CONF: file("registries.conf", `[[registry]]\nlocation = "${registry}"\ninsecure = true\n`),
    CONTAINERS_STORAGE_CONF: file(
      "storage.conf",
      `[storage]\ndriver = "overlay"\ngraphroot = "${join(directory, "root")}"\nrunroot = "${runDirectory}"\n`,
    ),
    REGISTRY_AUTH_FILE: file("auth.json", "{}"),
  };
}
