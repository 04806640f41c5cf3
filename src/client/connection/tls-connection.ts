/** The TLS part of a connection to an engine: docker's `--tls` flags. */
import { EngineUnreachableError } from "../engine-error.ts";
import { type ClientTls, type Endpoint, formatEndpoint } from "./endpoint.ts";

/** Connects and resolves when the two sides have agreed. Throws EngineUnreachableError for a bad certificate. */
export async function connectEncrypted(
  options: { readonly allowHalfOpen: boolean; readonly socket: Bun.SocketHandler<undefined> },
  endpoint: Endpoint & { kind: "tcp" },
  tls: ClientTls,
): Promise<void> {
  const { ca, cert, key, verify } = tls;
  const problem = await new Promise<string | undefined>((resolve, reject) => {
    Bun.connect({
      ...options,
      hostname: endpoint.host,
      port: endpoint.port,
      tls: {
        ...(ca !== undefined && verify ? { ca } : {}),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        rejectUnauthorized: verify,
      },
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
