import type { OutgoingHttpHeaders } from "node:http2";
import { queryEscape } from "#formats/go-query-escape.ts";

/**
 * gRPC metadata may name a key several times, and file sync's patterns need that: joined by commas, as web headers are, they would be one
 * pattern. Such lists travel through the RPC library as one header, and become several where the request is made.
 */
const PREFIX = "berth-list-";

/** A header for the list `key`; values that are not ASCII are escaped in BuildKit's way, and another header says so. */
export function listMetadata(key: string, values: readonly string[]): readonly (readonly [string, string])[] {
  if (values.length === 0) return [];
  const isEncoded = values.some((value) => /[^\x20-\x7e]/.test(value));
  const sent = isEncoded ? values.map(queryEscape) : values;
  const list: readonly [string, string] = [PREFIX + key, Buffer.from(JSON.stringify(sent)).toString("base64")];
  return isEncoded ? [list, [`${key}-encoded`, "1"]] : [list];
}

/** The headers with the lists of {@link listMetadata} as several headers each. */
export function expandListMetadata(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      if (!name.startsWith(PREFIX) || typeof value !== "string") return [name, value];
      return [name.slice(PREFIX.length), JSON.parse(Buffer.from(value, "base64").toString()) as string[]];
    }),
  );
}
