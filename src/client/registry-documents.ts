/** `/berth/registry/manifest`: manifests and indexes as registries have them, through the engine. */
import type { PublishRequest, RegistryDocument } from "#spec/berth-api.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import { readJson } from "./connection/response-body.ts";
import type { Engine } from "./engine.ts";

export interface DocumentAccess {
  /** X-Registry-Auth; undefined without credentials. */
  readonly auth: string | undefined;
  readonly insecure: boolean;
}

/** A manifest or index by its name. */
export function fetchDocument(engine: Engine, reference: string, access: DocumentAccess): Promise<RegistryDocument> {
  return look(engine, { reference }, access);
}

/** A small blob of the repository of `reference`. */
export async function fetchBlob(
  engine: Engine,
  reference: string,
  { digest, size, mediaType }: Descriptor,
  access: DocumentAccess,
): Promise<Buffer> {
  const { raw } = await look(engine, { reference, digest, size: String(size), mediaType }, access);
  return Buffer.from(raw, "base64");
}

/** Puts a document under a name, with what it names. */
export async function publishDocument(
  engine: Engine,
  request: PublishRequest,
  auth: string | undefined,
): Promise<RegistryDocument> {
  return readJson(
    await engine.send({
      method: "POST",
      path: "/berth/registry/manifest",
      headers: authHeader(auth),
      body: { json: request },
    }),
  );
}

async function look(
  engine: Engine,
  query: Readonly<Record<string, string>>,
  { auth, insecure }: DocumentAccess,
): Promise<RegistryDocument> {
  return readJson(
    await engine.send({
      method: "GET",
      path: "/berth/registry/manifest",
      query: { ...query, insecure },
      headers: authHeader(auth),
    }),
  );
}

function authHeader(auth: string | undefined): Readonly<Record<string, string>> {
  return auth ? { "X-Registry-Auth": auth } : {};
}
