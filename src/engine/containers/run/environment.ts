import { mergeEnv } from "#engine/containers/request/merge-config.ts";
import type { ContainerConfig } from "#spec/docker-containers.ts";

/** Docker's default PATH. https://github.com/moby/moby/blob/master/daemon/pkg/oci/defaults.go */
const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The environment of a container's main process: what the engine gives (PATH, HOSTNAME, TERM on a terminal, those of its `links`), then the image's
 * ENV and the user's, which `config.Env` holds merged. HOME is added by the runtime from the root's /etc/passwd when nobody set it. Nothing of
 * the host's environment is in it.
 */
export function containerEnvironment(config: ContainerConfig, links: readonly string[]): string[] {
  const given = [DEFAULT_PATH, `HOSTNAME=${config.Hostname ?? ""}`, ...(config.Tty ? ["TERM=xterm"] : []), ...links];
  return mergeEnv(given, config.Env ?? []);
}
