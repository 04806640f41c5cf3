import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Descriptor } from "#spec/oci-image.ts";
import { choosePlatform, formatPlatform, normalizePlatform, parsePlatform, platformRuns } from "./platform.ts";

const descriptor = (platform?: string, digit = "0"): Descriptor => ({
  mediaType: "m",
  digest: `sha256:${digit.repeat(64)}`,
  size: 1,
  ...(platform ? { platform: rawPlatform(platform) } : {}),
});

function rawPlatform(text: string): NonNullable<Descriptor["platform"]> {
  const [os = "", architecture = "", variant] = text.split("/");
  return { os, architecture, ...(variant ? { variant } : {}) };
}

describe("parsePlatform()", () => {
  test.each([
    ["linux/amd64", "linux/amd64"],
    ["linux/x86_64", "linux/amd64"],
    ["linux/arm64/v8", "linux/arm64"],
    ["linux/aarch64", "linux/arm64"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/arm/6", "linux/arm/v6"],
    ["linux/armhf", "linux/arm/v7"],
    ["Linux/AMD64/v1", "linux/amd64"],
    ["arm64", "linux/arm64"],
    ["windows/amd64", "windows/amd64"],
  ])("%s is %s", (text, expected) => {
    expect(formatPlatform(parsePlatform(text))).toBe(expected);
  });

  test.each(["", "linux/", "a/b/c/d", "linux/am d64", "plan7"])("refuses %p", (text) => {
    expect(() => parsePlatform(text)).toThrow();
  });

  test("normalizePlatform() changes nothing the second time", () => {
    const part = fc.constantFrom("linux", "arm", "arm64", "armel", "x86_64", "v8", "8", "v7", "v1", "");
    fc.assert(
      fc.property(part, part, part, (os, architecture, variant) => {
        const once = normalizePlatform({ os, architecture, variant });
        expect(normalizePlatform(once)).toEqual(once);
      }),
    );
  });
});

describe("choosePlatform()", () => {
  const choose = (wanted: string, ...offered: string[]): string | undefined => {
    const index = offered.map((platform, at) => descriptor(platform, String(at)));
    const chosen = choosePlatform(index, parsePlatform(wanted));
    return chosen?.platform ? Object.values(chosen.platform).join("/") : undefined;
  };

  test("prefers the exact variant, then the next best that runs", () => {
    expect(choose("linux/amd64", "linux/386", "linux/amd64")).toBe("linux/amd64");
    expect(choose("linux/arm/v7", "linux/arm/v5", "linux/arm/v6")).toBe("linux/arm/v6");
    expect(choose("linux/arm/v6", "linux/arm/v7")).toBeUndefined();
    expect(choose("linux/arm64", "linux/arm/v7", "linux/arm64/v8")).toBe("linux/arm64/v8");
    expect(choose("linux/amd64/v3", "linux/amd64", "linux/amd64/v2", "linux/amd64/v4")).toBe("linux/amd64/v2");
    expect(choose("linux/s390x", "linux/amd64", "unknown/unknown")).toBeUndefined();
  });

  test("takes the only manifest when it names no platform", () => {
    expect(choosePlatform([descriptor()], parsePlatform("linux/amd64"))).toBeDefined();
    expect(choosePlatform([descriptor(), descriptor()], parsePlatform("linux/amd64"))).toBeUndefined();
  });

  test("platformRuns() compares after normalising", () => {
    expect(platformRuns(rawPlatform("linux/amd64"), rawPlatform("linux/386"))).toBe(true);
    expect(platformRuns(rawPlatform("linux/amd64"), rawPlatform("linux/arm64"))).toBe(false);
  });
});
