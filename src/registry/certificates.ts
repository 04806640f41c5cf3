/** Whom the engine believes, and who it says it is: the system's authorities, and what certs.d has for a registry. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode, errorMessage, InvalidParameterError, SystemError } from "#errors/errors.ts";

/** What a TLS connection is made with, all in PEM. */
export interface TlsMaterial {
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

/** Where distributions keep their authorities, as Go looks for them. https://go.dev/src/crypto/x509/root_linux.go */
const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** Reads certificates as they are needed: an administrator may add some at any time. */
export class Certificates {
  readonly #directories: readonly string[];
  readonly #bundles: readonly string[];
  #system: string | undefined;

  /** `directories` hold one directory a registry, `host[:port]`, like Docker's /etc/docker/certs.d; the first that has it counts. */
  constructor(directories: readonly string[], environment: Readonly<Record<string, string | undefined>> = process.env) {
    this.#directories = directories;
    const given = environment["SSL_CERT_FILE"];
    this.#bundles = given ? [given] : SYSTEM_BUNDLES;
  }

  /** For connections to a host. Throws InvalidParameterError for a half pair of client certificate and key, in Docker's words. */
  forHost(host: string): TlsMaterial {
    const system = this.#systemAuthorities();
    const own = this.#ownOf(host);
    // Authorities given explicitly stand in place of the built-in ones, so that the system's have to be among them.
    const ca = [...(system ? [system] : []), ...(own.ca ?? [])];
    return { ...own, ...(ca.length > 0 ? { ca } : {}) };
  }

  #ownOf(host: string): TlsMaterial {
    for (const parent of this.#directories) {
      // A host cannot lead out of the directory: "/" is in no host name, and ".." is none.
      const directory = join(parent, host);
      const names = namesIn(directory);
      if (names) return readMaterial(directory, names);
    }
    return {};
  }

  #systemAuthorities(): string {
    this.#system ??= this.#bundles.map(readIfThere).find((text) => text !== "") ?? "";
    return this.#system;
  }
}

/** `*.crt` are authorities, `*.cert` with the `*.key` of the same name is the client's. https://docs.docker.com/engine/security/certificates/ */
function readMaterial(directory: string, names: readonly string[]): TlsMaterial {
  const read = (name: string): string => readFileSync(join(directory, name), "utf8");
  const ca = names.filter((name) => name.endsWith(".crt")).map(read);
  const cert = names.find((name) => name.endsWith(".cert"));
  const key = names.find((name) => name.endsWith(".key"));
  if (cert && !names.includes(cert.replace(/cert$/, "key"))) {
    throw new InvalidParameterError(
      `missing key ${cert.replace(/cert$/, "key")} for client certificate ${cert}. CA certificates must use the extension .crt`,
    );
  }
  if (key && !names.includes(key.replace(/key$/, "cert"))) {
    throw new InvalidParameterError(`missing client certificate ${key.replace(/key$/, "cert")} for key ${key}`);
  }
  const pair = cert ? { cert: read(cert), key: read(cert.replace(/cert$/, "key")) } : {};
  return { ...(ca.length > 0 ? { ca } : {}), ...pair };
}

/** Undefined when there is no such directory. */
function namesIn(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory).sort();
  } catch (cause) {
    if (errorCode(cause) === "ENOENT" || errorCode(cause) === "ENOTDIR") return undefined;
    throw new SystemError(`cannot read ${directory}: ${errorMessage(cause)}`, { cause });
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
