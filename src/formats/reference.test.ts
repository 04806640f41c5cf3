import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { InvalidParameterError } from "#errors/errors.ts";
import {
  familiarName,
  familiarString,
  formatReference,
  parseReference,
  repositoryName,
  tagNameOnly,
} from "./reference.ts";
import { matchReference } from "./reference-pattern.ts";

const DIGEST = `sha256:${"ab".repeat(32)}`;

describe("parseReference()", () => {
  // Cases of distribution/reference's normalize_test.go.
  test.each([
    ["busybox", "docker.io/library/busybox", "busybox"],
    ["busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"],
    ["docker.io/busybox", "docker.io/library/busybox", "busybox"],
    ["index.docker.io/library/busybox", "docker.io/library/busybox", "busybox"],
    ["diamol/ch03-web-ping", "docker.io/diamol/ch03-web-ping", "diamol/ch03-web-ping"],
    ["docker.io/library/a/b", "docker.io/library/a/b", "library/a/b"],
    ["localhost/app", "localhost/app", "localhost/app"],
    ["localhost:5000/app:v1", "localhost:5000/app:v1", "localhost:5000/app:v1"],
    ["REGISTRY/app", "REGISTRY/app", "REGISTRY/app"],
    ["[::1]:5000/app", "[::1]:5000/app", "[::1]:5000/app"],
    ["ghcr.io/o/r/x__y.z-0", "ghcr.io/o/r/x__y.z-0", "ghcr.io/o/r/x__y.z-0"],
    [`app:v1@${DIGEST}`, `docker.io/library/app:v1@${DIGEST}`, `app:v1@${DIGEST}`],
    [`app@${DIGEST}`, `docker.io/library/app@${DIGEST}`, `app@${DIGEST}`],
  ])("reads %s", (text, canonical, familiar) => {
    const reference = parseReference(text);
    expect(formatReference(reference)).toBe(canonical);
    expect(familiarString(reference)).toBe(familiar);
  });

  test.each([
    ["", "invalid reference format"],
    ["App", "invalid reference format: repository name (library/App) must be lowercase"],
    ["user/App:v1", "invalid reference format: repository name (user/App) must be lowercase"],
    ["a b", "invalid reference format"],
    ["-app", "invalid reference format"],
    ["app:", "invalid reference format"],
    ["app:-x", "invalid reference format"],
    ["a//b", "invalid reference format"],
    ["https://x/y", "invalid reference format"],
    ["app@sha256:abc", "invalid reference format"],
    [`app@sha256:${"a".repeat(40)}`, "invalid checksum digest length"],
    [`app@md5:${"a".repeat(40)}`, "unsupported digest algorithm"],
    ["a".repeat(64), `invalid repository name (${"a".repeat(64)}), cannot specify 64-byte hexadecimal strings`],
    [`x.y/${"a".repeat(256)}`, "repository name must not be more than 255 characters"],
  ])("refuses %s", (text, message) => {
    expect(() => parseReference(text)).toThrow(new InvalidParameterError(message));
  });

  const component = fc.stringMatching(/^[a-z0-9]{1,8}(?:(?:[._]|__|-{1,2})[a-z0-9]{1,8}){0,2}$/);
  const name = fc.record({
    domain: fc.constantFrom("docker.io", "localhost", "localhost:5000", "ghcr.io", "[::1]:5000"),
    path: fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")),
    tag: fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/), { nil: undefined }),
    digest: fc.option(fc.constant(DIGEST), { nil: undefined }),
  });

  test("reads back what formatReference() and familiarString() write", () => {
    fc.assert(
      fc.property(name, ({ domain, path, tag, digest }) => {
        const text = `${domain}/${path}${tag ? `:${tag}` : ""}${digest ? `@${digest}` : ""}`;
        fc.pre(!/^[0-9a-f]{64}$/.test(path));
        const reference = parseReference(text);
        expect(parseReference(formatReference(reference))).toEqual(reference);
        expect(parseReference(familiarString(reference))).toEqual(reference);
        expect(repositoryName(parseReference(familiarName(reference)))).toBe(repositoryName(reference));
      }),
    );
  });

  test("either reads any text or refuses it as an InvalidParameterError", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (text) => {
        try {
          parseReference(text);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidParameterError);
        }
      }),
    );
  });
});

test("tagNameOnly() adds latest where there is neither tag nor digest", () => {
  expect(familiarString(tagNameOnly(parseReference("app")))).toBe("app:latest");
  expect(familiarString(tagNameOnly(parseReference("app:v1")))).toBe("app:v1");
  expect(tagNameOnly(parseReference(`app@${DIGEST}`)).tag).toBeUndefined();
});

test("matchReference() takes a pattern without a tag for any tag", () => {
  const reference = parseReference("web-ping:v2");
  expect(["w*", "web-ping", "*:v2", "web-ping:v*"].every((pattern) => matchReference(pattern, reference))).toBe(true);
  expect(["w*:v1", "docker.io/*", "*/*"].some((pattern) => matchReference(pattern, reference))).toBe(false);
});
