/**
 * `os/architecture[/variant]`: reading, normalising and matching as containerd does, so that the same image of an index is
 * chosen. https://github.com/containerd/platforms
 */
import { arch } from "node:os";
import { InvalidParameterError } from "#errors/errors.ts";
import type { Descriptor, Platform } from "#spec/oci-image.ts";

const ARCHITECTURES: Readonly<Record<string, readonly [architecture: string, variant?: string]>> = {
  i386: ["386"],
  i686: ["386"],
  x86: ["386"],
  x86_64: ["amd64"],
  "x86-64": ["amd64"],
  aarch64: ["arm64"],
  armhf: ["arm", "v7"],
  armel: ["arm", "v6"],
  riscv: ["riscv64"],
};
const KNOWN_ARCHITECTURES: ReadonlySet<string> = new Set(
  "386 amd64 arm arm64 loong64 mips mipsle mips64 mips64le ppc64 ppc64le riscv64 s390x wasm".split(" "),
);
const KNOWN_SYSTEMS: ReadonlySet<string> = new Set("linux windows darwin freebsd wasip1 js".split(" "));
/** Node's names for what it runs on, where they differ from Go's. */
const NODE_ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le" };

/** The platform of this machine. */
export function hostPlatform(): Platform {
  return normalizePlatform({ os: "linux", architecture: NODE_ARCHITECTURES[arch()] ?? arch() });
}

/** Reads `linux/arm64/v8`, `linux/amd64`, `arm64` or `linux`. Throws InvalidParameterError. */
export function parsePlatform(text: string): Platform {
  const parts = text.split("/");
  const wrong = parts.find((part) => !/^[A-Za-z0-9_.-]+$/.test(part));
  if (wrong !== undefined) {
    throw new InvalidParameterError(
      `"${wrong}" is an invalid component of "${text}": expected "os/architecture" or "os/architecture/variant"`,
    );
  }
  if (parts.length > 3) {
    throw new InvalidParameterError(
      `"${text}": cannot parse platform specifier: expected "os/architecture" or "os/architecture/variant"`,
    );
  }
  const [first = "", second, third] = parts;
  if (second !== undefined) {
    return normalizePlatform({ os: first, architecture: second, ...(third ? { variant: third } : {}) });
  }
  const system = first.toLowerCase() === "macos" ? "darwin" : first.toLowerCase();
  if (KNOWN_SYSTEMS.has(system)) return { ...hostPlatform(), os: system };
  const platform = normalizePlatform({ os: "linux", architecture: first });
  if (KNOWN_ARCHITECTURES.has(platform.architecture)) return platform;
  throw new InvalidParameterError(`"${text}": unknown operating system or architecture: invalid argument`);
}

/** Reads `linux/amd64,linux/arm64`: each platform once, normalised as `formatPlatform` writes it. Nothing of "". Throws InvalidParameterError. */
export function parsePlatforms(text: string): readonly string[] {
  const platforms = text.split(",").filter((part) => part !== "");
  return [...new Set(platforms.map((part) => formatPlatform(parsePlatform(part.trim()))))];
}

/** `linux/amd64`, `linux/arm/v7`. */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/");
}

/** One spelling per platform: aliases resolved, a default variant dropped (arm64 v8, amd64 v1) or filled in (arm v7). */
export function normalizePlatform(platform: Platform): Platform {
  const system = platform.os.toLowerCase() === "macos" ? "darwin" : platform.os.toLowerCase();
  const name = platform.architecture.toLowerCase();
  const [architecture, impliedVariant] = ARCHITECTURES[name] ?? [name];
  const variant = normalizeVariant(architecture, impliedVariant ?? platform.variant?.toLowerCase() ?? "");
  const version = platform["os.version"];
  return { os: system, architecture, ...(variant ? { variant } : {}), ...(version ? { "os.version": version } : {}) };
}

/** Whether a machine of platform `wanted` runs images of platform `offered`. */
export function platformRuns(wanted: Platform, offered: Platform): boolean {
  return compatiblePlatforms(wanted).includes(formatPlatform(normalizePlatform(offered)));
}

/**
 * The manifest of an index for a platform: an exact match first, then the next best that the platform runs; among equals the
 * first. Undefined when there is none. Attestations (`unknown/unknown`) never match.
 */
export function choosePlatform(manifests: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  for (const candidate of compatiblePlatforms(wanted)) {
    const found = manifests.find(
      ({ platform }) => platform && formatPlatform(normalizePlatform(platform)) === candidate,
    );
    if (found) return found;
  }
  // An index of one manifest that says no platform (older tools write such) can only mean that one.
  const silent = manifests.filter(({ platform }) => !platform);
  return manifests.length === 1 ? silent[0] : undefined;
}

/** What a platform runs, best first: lower variants of arm and amd64, arm on arm64, 386 on amd64. */
function compatiblePlatforms(platform: Platform): readonly string[] {
  const { os, architecture, variant = "" } = normalizePlatform(platform);
  const versions = (name: string, from: number, to: number): string[] =>
    Array.from({ length: from - to + 1 }, (_, index) =>
      formatPlatform(normalizePlatform({ os, architecture: name, variant: `v${from - index}` })),
    );
  const number = Number(variant.replace(/^v/, "").split(".")[0] || Number.NaN);
  switch (architecture) {
    case "amd64":
      return [...versions("amd64", number || 1, 1), formatPlatform({ os, architecture: "386" })];
    case "arm":
      return versions("arm", number || 7, 5);
    case "arm64":
      return [...new Set([formatPlatform({ os, architecture, variant }), `${os}/arm64`, ...versions("arm", 8, 5)])];
    default:
      return [formatPlatform({ os, architecture, variant })];
  }
}

function normalizeVariant(architecture: string, variant: string): string {
  const version = /^\d/.test(variant) ? `v${variant}` : variant;
  if (architecture === "arm64" && (version === "v8" || version === "v8.0")) return "";
  if (architecture === "amd64" && version === "v1") return "";
  if (architecture === "arm" && version === "") return "v7";
  return version;
}
