import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ClientTls } from "#client/connection/endpoint.ts";
import type { GLOBAL_FLAGS } from "./global-flags.ts";
import type { FlagValues } from "./grammar/flag.ts";

type Flags = Pick<FlagValues<typeof GLOBAL_FLAGS>, "tls" | "tlsverify" | "tlscacert" | "tlscert" | "tlskey">;

/**
 * What the `--tls` flags and their variables say; undefined: nothing is encrypted. Whoever mentions --tlsverify, even as false, wants TLS.
 * https://github.com/docker/cli/blob/v28.2.2/cli/flags/options.go
 */
export function clientTls(
  flags: Flags,
  given: ReadonlySet<string>,
  environment: Readonly<Record<string, string | undefined>>,
  configDirectory: string,
): ClientTls | undefined {
  const verify = given.has("tlsverify") ? flags.tlsverify : Boolean(environment["DOCKER_TLS_VERIFY"]);
  const wanted = given.has("tls") ? flags.tls : Boolean(environment["DOCKER_TLS"]);
  if (!wanted && !verify && !given.has("tlsverify")) return undefined;
  const directory = environment["DOCKER_CERT_PATH"] || configDirectory;
  const file = (flag: string, name: string): string | undefined => {
    if (flag !== "") return flag;
    const path = join(directory, name);
    return existsSync(path) ? path : undefined;
  };
  return {
    ca: file(flags.tlscacert, "ca.pem"),
    cert: file(flags.tlscert, "cert.pem"),
    key: file(flags.tlskey, "key.pem"),
    verify,
  };
}
