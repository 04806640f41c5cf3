import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientTls } from "#client/connection/endpoint.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { goFileError } from "#lib/go-file-error.ts";
import type { GLOBAL_FLAGS } from "./global-flags.ts";
import type { FlagValues } from "./grammar/flag.ts";

type Flags = Pick<FlagValues<typeof GLOBAL_FLAGS>, "tls" | "tlsverify" | "tlscacert" | "tlscert" | "tlskey">;

/**
 * What the `--tls` flags and their variables say; undefined: nothing is encrypted. Whoever mentions --tlsverify, even as false, wants TLS.
 * https://github.com/docker/cli/blob/v28.2.2/cli/flags/options.go. Throws InvalidParameterError for a file that cannot be read: an
 * authority always, a certificate and a key when they were named or are there.
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
  const own = (path: string, name: string): string | undefined => {
    const file = path || join(directory, name);
    return path === "" && !existsSync(file) ? undefined : readPem(file);
  };
  return {
    ca: readPem(flags.tlscacert || join(directory, "ca.pem")),
    cert: own(flags.tlscert, "cert.pem"),
    key: own(flags.tlskey, "key.pem"),
    verify,
  };
}

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new InvalidParameterError(goFileError("open", path, cause), { cause });
  }
}
