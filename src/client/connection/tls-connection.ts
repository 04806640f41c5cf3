/** The TLS part of a connection to an engine: docker's `--tls` flags. */
import { readFile } from "node:fs/promises";
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { EngineUnreachableError } from "../engine-error.ts";
import { type ClientTls, type Endpoint, formatEndpoint } from "./endpoint.ts";

/** Connects and resolves when the two sides have agreed. Throws InvalidParameterError for bad files, EngineUnreachableError for a bad certificate. */
export async function connectEncrypted(
  options: { readonly allowHalfOpen: boolean; readonly socket: Bun.SocketHandler<undefined> },
  endpoint: Endpoint & { kind: "tcp" },
  tls: ClientTls,
): Promise<void> {
  const secrets = await readSecrets(tls);
  const problem = await new Promise<string | undefined>((resolve, reject) => {
    Bun.connect({
      ...options,
      hostname: endpoint.host,
      port: endpoint.port,
      tls: { ...secrets, rejectUnauthorized: tls.verify },
      socket: {
        ...options.socket,
        handshake: (_socket, isAgreed, error) =>
          resolve(isAgreed ? undefined : (error?.message ?? "the handshake failed")),
        close: (socket, error) => {
          resolve("the engine closed the connection");
          options.socket.close?.(socket, error);
        },
      },
    }).catch(reject);
  });
  if (problem === undefined) return;
  throw new EngineUnreachableError(
    `error during connect: ${formatEndpoint(endpoint).replace(/^tcp:/, "https:")}: tls: failed to verify certificate: ${problem}`,
  );
}

interface Secrets {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

async function readSecrets({ ca, cert, key, verify }: ClientTls): Promise<Secrets> {
  return {
    ...(ca !== undefined && verify ? { ca: await read("could not read CA certificate", ca) } : {}),
    ...(cert === undefined ? {} : { cert: await read("could not load X509 key pair", cert) }),
    ...(key === undefined ? {} : { key: await read("could not load X509 key pair", key) }),
  };
}

async function read(problem: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new InvalidParameterError(`unable to resolve docker endpoint: ${problem} "${path}": ${errorMessage(cause)}`, {
      cause,
    });
  }
}
