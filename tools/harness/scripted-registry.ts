import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

export interface ScriptedLayer {
  readonly tar: Uint8Array;
  /** What the registry sends for it; default: the tar through gzip. */
  readonly blob?: Uint8Array;
  /** What manifest and config claim, where that is not the truth. */
  readonly claims?: { readonly digest?: string; readonly size?: number; readonly diffId?: string };
}

/** Answers instead of the registry: true when it did. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

const TYPES = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

/** A registry in memory, on loopback, that sends what a test tells it to, true or not. Range is honoured. */
export class ScriptedRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Method, path and Range of each request, in order. */
  readonly seen: string[] = [];
  /** Looked at before anything else; may be replaced at any time. */
  fault: Fault = () => false;
  readonly #server: Server;
  readonly #blobs = new Map<string, Uint8Array>();
  readonly #manifests = new Map<string, Uint8Array>();

  private constructor(server: Server) {
    this.#server = server;
    this.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => this.#answer(request, response));
  }

  static async start(): Promise<ScriptedRegistry> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new ScriptedRegistry(server);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Makes `HOST/NAME:latest` of layers. Returns its full name and the layers' digests. */
  image(name: string, layers: readonly ScriptedLayer[], config: object = {}): { name: string; digests: string[] } {
    const descriptors = layers.map(({ tar, blob = gzipSync(tar, { level: 1 }), claims }) => {
      const digest = claims?.digest ?? digestOf(blob);
      this.#blobs.set(digest, blob);
      return { mediaType: TYPES.layer, digest, size: claims?.size ?? blob.length };
    });
    const document = Buffer.from(
      JSON.stringify({
        os: "linux",
        architecture: process.arch === "arm64" ? "arm64" : "amd64",
        config,
        rootfs: { type: "layers", diff_ids: layers.map(({ tar, claims }) => claims?.diffId ?? digestOf(tar)) },
      }),
    );
    const configDigest = digestOf(document);
    this.#blobs.set(configDigest, document);
    const manifest = {
      schemaVersion: 2,
      mediaType: TYPES.manifest,
      config: { mediaType: TYPES.config, digest: configDigest, size: document.length },
      layers: descriptors,
    };
    this.#manifests.set(`${name}/manifests/latest`, Buffer.from(JSON.stringify(manifest)));
    return { name: `${this.host}/${name}:latest`, digests: descriptors.map(({ digest }) => digest) };
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    response.on("error", () => undefined);
    this.seen.push(`${request.method} ${request.url} ${request.headers.range ?? ""}`.trim());
    if (this.fault(request, response)) return;
    const path = (request.url ?? "").replace(/^\/v2\//, "");
    const manifest = this.#manifests.get(path);
    const blob = this.#blobs.get(path.split("/blobs/")[1] ?? "");
    if (path === "") response.end("{}");
    else if (manifest) response.writeHead(200, { "content-type": TYPES.manifest }).end(manifest);
    else if (blob) sendBlob(request, response, blob);
    else response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
  }
}

/** Sends a blob, or the part of it that Range asks for. */
function sendBlob(request: IncomingMessage, response: ServerResponse, blob: Uint8Array): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const rest = blob.subarray(start);
  const headers = { "content-length": rest.length };
  if (start === 0) response.writeHead(200, headers).end(rest);
  else {
    const range = `bytes ${start}-${blob.length - 1}/${blob.length}`;
    response.writeHead(206, { ...headers, "content-range": range }).end(rest);
  }
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
