import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import type { OptionValues } from "./option-values.ts";

/** Which files `tcp://` listeners are encrypted with. */
export interface TlsFiles {
  readonly caCert: string;
  readonly cert: string;
  readonly key: string;
  /** Clients need a certificate of the CA. */
  readonly verify: boolean;
}

/** What is in the files. */
export interface TlsSecrets {
  readonly cert: string;
  readonly key: string;
  /** Absent: any client may come. */
  readonly ca?: string;
}

/** As dockerd: whoever mentions --tlsverify, even as false, wants TLS. Without TLS it is undefined. https://docs.docker.com/engine/security/protect-access/ */
export function tlsFiles(values: OptionValues): TlsFiles | undefined {
  const verify = values.switch("tlsverify");
  if (!values.isOn("tls") && verify === undefined) return undefined;
  const directory = process.env["DOCKER_CERT_PATH"] ?? join(homedir(), ".docker");
  return {
    caCert: values.text("tlscacert") || join(directory, "ca.pem"),
    cert: values.text("tlscert") || join(directory, "cert.pem"),
    key: values.text("tlskey") || join(directory, "key.pem"),
    verify: verify ?? false,
  };
}

/** Throws InvalidParameterError, in dockerd's words, for a file that cannot be read. */
export function readTlsFiles(files: TlsFiles): TlsSecrets {
  try {
    const pair = { cert: readFileSync(files.cert, "utf8"), key: readFileSync(files.key, "utf8") };
    return files.verify ? { ...pair, ca: readCa(files.caCert) } : pair;
  } catch (cause) {
    if (cause instanceof InvalidParameterError) throw cause;
    throw new InvalidParameterError(
      `could not load X509 key pair (cert: "${files.cert}", key: "${files.key}"): ${errorMessage(cause)}`,
      { cause },
    );
  }
}

function readCa(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new InvalidParameterError(`could not read CA certificate "${path}": ${errorMessage(cause)}`, { cause });
  }
}
