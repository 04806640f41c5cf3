import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type Server as HttpsServer } from "node:https";
import type { Server } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { ForbiddenError, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { API_VERSION } from "#spec/docker-system.ts";
import { compareVersions } from "./api-version.ts";
import { errorAnswer } from "./error-status.ts";
import { RequestContext } from "./request-context.ts";
import { type Route, Router } from "./route.ts";
import type { Answer } from "./streams/hijack.ts";

export interface ApiServerOptions {
  readonly routes: readonly Route[];
  /** For a listener that others than the socket's owner reach. Without TLS secrets it is not encrypted; a CA means clients must prove who they are. */
  readonly overNetwork?: { readonly tls: TlsSecrets | undefined };
  /** For each failure that is the engine's own fault. */
  readonly onInternalError: (method: string, path: string, error: unknown) => void;
  /** For each request, when it comes and when it has been answered. */
  readonly onActivity: () => void;
}

export interface TlsSecrets {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}

/** The HTTP server of the Engine API, not yet listening. */
export interface ApiServer {
  readonly listener: Server;
  /**
   * Ends all connections, which aborts what they asked for, and resolves when that has been undone: a build's step is then no longer
   * running. What cannot be aborted (a container's stop) is waited for no longer than some seconds.
   */
  close(): Promise<void>;
}

/** Milliseconds. */
const CLOSE_GRACE = 5000;

/** Connections may idle for hours: attach, logs and events do. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const router = new Router(options.routes);
  const working = new Set<Promise<void>>();
  const upgraded = new Set<Duplex>();
  const take = (request: IncomingMessage, how: Answer): void => {
    options.onActivity();
    const work = answer(router, options, request, how)
      // Of the answer itself: nobody is left who could be told.
      .catch((error: unknown) => options.onInternalError(request.method ?? "", request.url ?? "", error))
      .finally(() => {
        working.delete(work);
        options.onActivity();
      });
    working.add(work);
  };
  const respond = (request: IncomingMessage, response: ServerResponse): void => take(request, { response });
  const http = makeServer(options.overNetwork?.tls, respond);
  http.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => undefined);
    upgraded.add(socket);
    socket.once("close", () => upgraded.delete(socket));
    take(request, { socket, head });
  });
  configure(http);
  return {
    listener: http,
    close: async () => {
      http.closeAllConnections();
      // Those are no business of the HTTP server any more, but it waits for them.
      for (const socket of upgraded) socket.destroy();
      await new Promise((resolve) => http.close(resolve));
      await Promise.race([Promise.allSettled(working), delay(CLOSE_GRACE, undefined, { ref: false })]);
    },
  };
}

function makeServer(
  tls: TlsSecrets | undefined,
  respond: (request: IncomingMessage, response: ServerResponse) => void,
): HttpServer | HttpsServer {
  if (!tls) return createServer({ keepAlive: true }, respond);
  const verify = tls.ca !== undefined;
  return createTlsServer(
    { ...tls, keepAlive: true, minVersion: "TLSv1.2", requestCert: verify, rejectUnauthorized: verify },
    respond,
  );
}

function configure(server: HttpServer | HttpsServer): void {
  server.on("clientError", (_error: Error, socket: Duplex) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  });
  server.timeout = 0;
  server.requestTimeout = 0;
  server.headersTimeout = 60_000;
  server.keepAliveTimeout = 0;
}

async function answer(router: Router, options: ApiServerOptions, request: IncomingMessage, how: Answer): Promise<void> {
  const url = targetOf(request.url ?? "/");
  const { path, version } = splitVersion(url.pathname);
  const method = request.method ?? "GET";
  const match = router.match(method, path);
  const context = new RequestContext(request, how, {
    path,
    query: url.searchParams,
    version,
    params: match?.params ?? {},
  });
  if ("response" in how) commonHeaders(how.response);
  try {
    if (options.overNetwork) refuseWebPages(request);
    // Any page may be asked for its options: a check that somebody serves.
    if (method === "OPTIONS") return context.sendEmpty(200);
    if ("response" in how && url.pathname.includes("//")) return redirect(context, how.response, url);
    if (!match) throw new NotFoundError("page not found");
    checkVersion(version, path);
    await match.handler(context);
  } catch (error) {
    fail(context, options, how, method, error);
  }
}

/** Not resolved against a base, for which `//x` would be another host. What is no URL at all names no page. */
function targetOf(text: string): URL {
  const whole = text.startsWith("/") ? `http://engine${text}` : text;
  return URL.canParse(whole) ? new URL(whole) : new URL("http://engine/*");
}

/** As dockerd: a base URL that ends with a slash leads clients here. The target has one slash before its first name, so it is no other host. */
function redirect(context: RequestContext, response: ServerResponse, { pathname, search }: URL): void {
  response.setHeader("Location", pathname.replace(/\/{2,}/g, "/") + search);
  context.sendEmpty(301);
}

/**
 * A page in a browser on this machine can send requests to a port on it, though not to a unix socket: browsers say whose page it is, programs
 * do not.
 */
function refuseWebPages(request: IncomingMessage): void {
  if (request.headers.origin !== undefined)
    throw new ForbiddenError("requests of web pages are refused: an Origin header came with this one");
}

function fail(context: RequestContext, options: ApiServerOptions, how: Answer, method: string, error: unknown): void {
  const { status, body } = errorAnswer(error);
  if (status === 500) options.onInternalError(method, context.path, error);
  if (!context.answered) {
    if (status === 304) context.sendEmpty(304);
    else context.sendJson(status, body);
  } else if ("response" in how) how.response.destroy();
  else how.socket.destroy();
}

function commonHeaders(response: ServerResponse): void {
  response.setHeader("Api-Version", API_VERSION.newest);
  response.setHeader("Docker-Experimental", "false");
  response.setHeader("Ostype", "linux");
  response.setHeader("Server", "Berth (linux)");
}

/** `/v1.45/containers/json` → path and version. https://docs.docker.com/reference/api/engine/#versioned-api-and-sdk */
function splitVersion(pathname: string): { path: string; version: string } {
  const match = /^\/v([0-9.]+)(\/.*)$/.exec(pathname);
  return match ? { path: match[2] ?? "/", version: match[1] ?? "" } : { path: pathname, version: API_VERSION.newest };
}

/**
 * Image archives are the same in all versions. skopeo, podman and buildah with containers/image before 5.29 ask for them in 1.22 whatever the engine
 * speaks: dockerd refuses them by default since version 25.
 */
const IN_ALL_VERSIONS = /^\/images\/(?:load|get|.+\/get)$/;

function checkVersion(version: string, path: string): void {
  if (compareVersions(version, API_VERSION.oldest) < 0 && !IN_ALL_VERSIONS.test(path)) {
    throw new InvalidParameterError(
      `client version ${version} is too old. Minimum supported API version is ${API_VERSION.oldest}, please upgrade your client to a newer version`,
    );
  }
  if (compareVersions(version, API_VERSION.newest) > 0) {
    throw new InvalidParameterError(
      `client version ${version} is too new. Maximum supported API version is ${API_VERSION.newest}`,
    );
  }
}
