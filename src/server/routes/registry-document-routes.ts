import type { Engine } from "#engine/engine.ts";
import {
  type DocumentOptions,
  fetchDocument,
  fetchSmallBlob,
  publishDocument,
} from "#engine/images/registry/registry-documents.ts";
import { parseDigest } from "#formats/digest.ts";
import { flag, list, object, text } from "#lib/json-decoder.ts";
import { decodeRegistryAuth, registryAuth } from "#server/decode/registry-auth.ts";
import type { PublishRequest, PublishSource, RegistryDocument } from "#spec/berth-api.ts";
import type { Descriptor } from "#spec/oci-image.ts";
import type { RequestContext } from "../request-context.ts";
import type { Route } from "../route.ts";
import { integerParameter } from "./parameters.ts";

/** Configs and what else is looked at whole, bytes. */
const MAX_BLOB = 8 * 1024 * 1024;

/** Berth's own: documents in registries, for `manifest` and `buildx imagetools` (spec/berth-api.ts). */
export function registryDocumentRoutes(engine: Engine): readonly Route[] {
  return [
    ["GET", "/berth/registry/manifest", (request) => look(engine, request)],
    ["POST", "/berth/registry/manifest", (request) => publish(engine, request)],
  ];
}

async function look(engine: Engine, request: RequestContext): Promise<void> {
  const name = request.text("reference");
  const options = documentOptions(request, request.flag("insecure"));
  const digest = request.text("digest");
  if (digest === "") {
    const { bytes, ...found } = await fetchDocument(engine.images, name, options);
    request.sendJson(200, documentOf({ ...found, size: bytes.length }, bytes));
    return;
  }
  const descriptor = {
    digest: parseDigest(digest),
    size: integerParameter(request, "size") ?? 0,
    mediaType: request.text("mediaType"),
  };
  const bytes = await fetchSmallBlob(engine.images, name, descriptor, { ...options, limit: MAX_BLOB });
  request.sendJson(200, documentOf(descriptor, bytes));
}

const decodePublish = object<PublishRequest>(
  {
    reference: text,
    mediaType: text,
    raw: text,
    insecure: flag,
    sources: list(object<PublishSource>({ reference: text, auth: text }, { reference: "", auth: "" })),
  },
  { reference: "", mediaType: "", raw: "", insecure: false, sources: [] },
);

async function publish(engine: Engine, request: RequestContext): Promise<void> {
  const body = await request.json(decodePublish);
  const bytes = Buffer.from(body.raw, "base64");
  const { mediaType } = body;
  const digest = await publishDocument(engine.images, body.reference, {
    ...documentOptions(request, body.insecure),
    bytes,
    mediaType,
    sources: body.sources.map(({ reference, auth }) => {
      const credentials = decodeRegistryAuth(auth);
      return { name: reference, ...(credentials ? { credentials } : {}) };
    }),
  });
  request.sendJson(200, documentOf({ mediaType, digest, size: bytes.length }, bytes));
}

function documentOptions(request: RequestContext, insecure: boolean): DocumentOptions {
  const credentials = registryAuth(request);
  return { insecure, signal: request.signal, ...(credentials ? { credentials } : {}) };
}

function documentOf(descriptor: Descriptor, bytes: Uint8Array): RegistryDocument {
  return { descriptor, raw: Buffer.from(bytes).toString("base64") };
}
