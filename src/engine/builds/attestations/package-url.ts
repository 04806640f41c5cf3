import { formatPlatform, normalizePlatform } from "#formats/platform.ts";
import { familiarName, parseReference, tagNameOnly } from "#formats/reference.ts";
import type { Platform } from "#spec/oci-image.ts";

/**
 * An image as a package URL: `pkg:docker/busybox@latest?platform=linux%2Famd64`. https://github.com/package-url/purl-spec, and BuildKit's
 * util/purl/image.go for what it makes of references.
 */
export function imageUrl(name: string, platform: Platform | undefined): string {
  const reference = tagNameOnly(parseReference(name));
  const path = familiarName(reference).split("/").map(encodeSegment).join("/");
  const version = reference.tag === undefined ? "" : `@${encodeSegment(reference.tag)}`;
  const qualifiers = [
    ...(reference.digest ? [["digest", reference.digest] as const] : []),
    ...(platform ? [["platform", formatPlatform(normalizePlatform(platform))] as const] : []),
  ];
  const query = qualifiers.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&");
  return `pkg:docker/${path}${version}${query === "" ? "" : `?${query}`}`;
}

/** As Go's url.PathEscape: a colon stays. */
function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(/%3A/g, ":");
}
