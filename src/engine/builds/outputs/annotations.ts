import type { ImageAnnotation } from "#build/builder.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { formatPlatform, hostPlatform, parsePlatform } from "#formats/platform.ts";

const ANNOTATION = /^annotation(?:-(manifest|manifest-descriptor|index|index-descriptor))?(?:\[([^\]]+)\])?\.(.+)$/s;

/** Whether an output's key is an annotation's. */
export function isAnnotation(name: string): boolean {
  return ANNOTATION.test(name);
}

/**
 * `annotation.K`, `annotation-manifest.K`, `annotation-index.K` …, perhaps with `[PLATFORM]`. Throws InvalidParameterError for a platform that is
 * none. https://github.com/moby/buildkit/blob/master/exporter/containerimage/exptypes/annotations.go
 */
export function readAnnotations(attrs: Readonly<Record<string, string>>): readonly ImageAnnotation[] {
  return Object.entries(attrs).flatMap(([name, value]): readonly ImageAnnotation[] => {
    const [, place = "manifest", platform, key = ""] = ANNOTATION.exec(name) ?? [];
    if (key === "") return [];
    return [
      {
        place: place as ImageAnnotation["place"],
        platform: platform === undefined ? undefined : formatPlatform(parsePlatform(platform)),
        key,
        value,
      },
    ];
  });
}

/** In BuildKit's words. `platforms` are those that are built for, none for the engine's own; what is attested always has an index. Throws InvalidParameterError. */
export function checkAnnotations(
  annotations: readonly ImageAnnotation[],
  platforms: readonly string[],
  isAttested: boolean,
): void {
  const known = platforms.length > 0 ? platforms : [formatPlatform(hostPlatform())];
  for (const { place, platform } of annotations) {
    if (place.startsWith("index") && known.length === 1 && !isAttested) {
      throw new InvalidParameterError("index annotations not supported for single platform export");
    }
    if (platform !== undefined && !known.includes(platform)) {
      throw new InvalidParameterError(`invalid annotation: no platform ${platform} found in source`);
    }
  }
}
