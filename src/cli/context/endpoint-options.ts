/** `--docker host=…,ca=…` of `context create` and `context update`. https://github.com/docker/cli/blob/v28.2.2/cli/command/context/options.go */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { parseGoBool } from "#lib/go-bool.ts";
import { goFileError } from "#lib/go-file-error.ts";
import { csvFields } from "../grammar/csv-line.ts";
import type { Flag } from "../grammar/flag.ts";
import {
  type ContextMetadata,
  type ContextStore,
  type ContextTls,
  type DockerEndpoint,
  dockerEndpointOf,
} from "./context-store.ts";

type Options = Readonly<Record<string, string>>;

/** What a context says of its engine. */
export interface EndpointAndTls {
  readonly endpoint: DockerEndpoint;
  readonly tls: ContextTls;
}

const TLS_FILES: Readonly<Record<string, string>> = { ca: "ca.pem", cert: "cert.pem", key: "key.pem" };
const KEYS = ["host", "from", "ca", "cert", "key", "skip-tls-verify"];

export const ENDPOINT_HELP = `
Docker endpoint config:

NAME                DESCRIPTION
from                Copy named context's Docker endpoint configuration
host                Docker endpoint on which to connect
ca                  Trust certs signed only by this CA
cert                Path to TLS certificate file
key                 Path to TLS key file
skip-tls-verify     Skip TLS certificate validation

Example:

`;

/** `--docker key=value,key=value`, again and again; undefined when it is not given. */
export function endpointFlag(): Flag<Options | undefined> {
  return {
    type: "stringToString",
    usage: "set the docker endpoint",
    defaultText: "[]",
    initial: undefined,
    read: (text, before) => ({ ...before, ...Object.fromEntries(csvFields(text).map(readPair)) }),
  };
}

function readPair(field: string): readonly [string, string] {
  const at = field.indexOf("=");
  if (at < 0) throw new InvalidParameterError(`${field} must be formatted as key=value`);
  return [field.slice(0, at), field.slice(at + 1)];
}

/** The endpoint that the options describe, with its keys read. Throws InvalidParameterError in docker's words. */
export function readEndpoint(options: Options, contextNamed: (name: string) => EndpointAndTls): EndpointAndTls {
  try {
    const unknown = Object.keys(options).find((key) => !KEYS.includes(key));
    if (unknown !== undefined) throw new InvalidParameterError(`unrecognized config key: ${unknown}`);
    if (options["from"]) return contextNamed(options["from"]);
    const skip = readSkip(options["skip-tls-verify"]);
    const files = Object.entries(TLS_FILES).flatMap(([key, file]) => {
      const path = options[key];
      return path ? [[file, readKeyFile(path)] as const] : [];
    });
    const host = options["host"];
    checkTls(host ?? "", Object.fromEntries(files));
    return {
      endpoint: { ...(host ? { Host: host } : {}), SkipTLSVerify: skip },
      tls: files.length > 0 ? { docker: Object.fromEntries(files) } : {},
    };
  } catch (cause) {
    throw new InvalidParameterError(`unable to create docker endpoint config: ${errorMessage(cause)}`, { cause });
  }
}

/** The endpoint of a stored context, for another one to have too. */
export function storedEndpoint(store: ContextStore, context: ContextMetadata): EndpointAndTls {
  const { docker } = store.readTls(context.Name);
  return { endpoint: dockerEndpointOf(context), tls: docker ? { docker } : {} };
}

function readSkip(value: string | undefined): boolean {
  if (value === undefined || value === "") return false;
  const skip = parseGoBool(value);
  if (skip !== undefined) return skip;
  throw new InvalidParameterError(`skip-tls-verify: parsing "${value}": invalid syntax`);
}

function readKeyFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new InvalidParameterError(goFileError("open", path, cause), { cause });
  }
}

/** A context that could never connect is better refused now. */
function checkTls(host: string, files: Readonly<Record<string, Uint8Array>>): void {
  if (!host.startsWith("tcp://")) return;
  const { "ca.pem": ca, "cert.pem": cert, "key.pem": key } = files;
  if (ca) refuseWhenThrown("ca.pem seems invalid", () => new X509Certificate(ca));
  if (!cert || !key) return;
  const certificate = refuseWhenThrown("cert.pem seems invalid", () => new X509Certificate(cert));
  const privateKey = refuseWhenThrown("key.pem seems invalid", () => createPrivateKey(Buffer.from(key)));
  if (!certificate.checkPrivateKey(privateKey)) throw tlsProblem("private key does not match public key");
}

function refuseWhenThrown<T>(problem: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw tlsProblem(problem, cause);
  }
}

function tlsProblem(problem: string, cause?: unknown): InvalidParameterError {
  return new InvalidParameterError(`invalid docker endpoint options: failed to retrieve context tls info: ${problem}`, {
    cause,
  });
}
