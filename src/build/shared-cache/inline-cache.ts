import { INLINE_CACHE_KEY } from "#spec/cache-config.ts";
import type { ImageConfig } from "#spec/oci-image.ts";
import type { BuildRequest } from "../builder.ts";
import { inlineRecords, type ShareableCache } from "./export-cache.ts";

/** `--cache-to type=inline`, or `BUILDKIT_INLINE_CACHE=1` as build argument: the image's config takes its steps' keys along. */
export function withInlineCache(config: ImageConfig, cache: ShareableCache, request: BuildRequest): ImageConfig {
  const asked = (request.cacheTo ?? []).some(({ type }) => type === "inline");
  if (!asked && request.buildArgs["BUILDKIT_INLINE_CACHE"] !== "1") return config;
  const records = JSON.stringify(inlineRecords(cache));
  return { ...config, [INLINE_CACHE_KEY]: Buffer.from(records).toString("base64") };
}
