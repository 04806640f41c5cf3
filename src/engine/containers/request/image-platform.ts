import { NotFoundError } from "#errors/errors.ts";
import { formatPlatform, hostPlatform, normalizePlatform, parsePlatform, platformRuns } from "#formats/platform.ts";
import type { ImageConfig, Platform } from "#spec/oci-image.ts";

/**
 * Compares an image's platform with the one asked for (`os/architecture[/variant]`) or, when none is, with the machine's: a warning in
 * Docker's words when this machine would need an emulator. Throws NotFoundError when the image is for another platform than was asked for, so
 * that a client pulls the right one; InvalidParameterError when `wanted` is no platform.
 */
export function checkPlatform(image: { readonly config: ImageConfig }, name: string, wanted: string): string[] {
  const { os, architecture, variant } = image.config;
  const actual = normalizePlatform({ os, architecture, ...(variant ? { variant } : {}) });
  if (wanted !== "") {
    const asked = parsePlatform(wanted);
    if (isSame(asked, actual)) return [];
    throw new NotFoundError(
      `image with reference ${name} was found but its platform (${formatPlatform(actual)}) does not match the specified platform (${formatPlatform(asked)})`,
    );
  }
  const host = hostPlatform();
  if (platformRuns(host, actual)) return [];
  return [
    `The requested image's platform (${formatPlatform(actual)}) does not match the detected host platform (${formatPlatform(host)}) and no specific platform was requested`,
  ];
}

/** A wish without a variant takes any. */
function isSame(asked: Platform, actual: Platform): boolean {
  if (asked.os !== actual.os || asked.architecture !== actual.architecture) return false;
  return asked.variant === undefined || asked.variant === actual.variant;
}
