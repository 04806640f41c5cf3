import { expect, test } from "bun:test";
import { parseDockerfile } from "./instructions/parse-dockerfile.ts";
import { unfollowed } from "./unfollowed.ts";

const remarks = (text: string, buildArgs: Record<string, string> = {}): readonly string[] =>
  unfollowed(parseDockerfile(Buffer.from(text)), buildArgs);

test("unfollowed() names frontends that are not Docker's", () => {
  const own = "# syntax=docker/dockerfile:1.7-labs\nFROM scratch\n";
  expect(remarks("FROM scratch\n")).toEqual([]);
  expect(remarks(own)).toEqual([]);
  expect(remarks("# syntax=docker.io/docker/dockerfile-upstream@sha256:0\nFROM scratch\n")).toEqual([]);
  expect(remarks(own, { BUILDKIT_SYNTAX: "example.org/front:2" })).toEqual([
    "the frontend example.org/front:2 is not run: Berth reads the Dockerfile itself, as docker/dockerfile does",
  ]);
  expect(unfollowed(undefined, { BUILDKIT_SYNTAX: "front" })).toHaveLength(1);
});

test("unfollowed() names what would widen the scan for an SBOM, by build argument, file or stage", () => {
  const remark = "BUILDKIT_SBOM_SCAN_STAGE is not followed: Berth's SBOMs are of a build's result alone";
  expect(remarks("ARG BUILDKIT_SBOM_SCAN_STAGE=true\nFROM scratch\n")).toEqual([remark]);
  expect(remarks("FROM scratch\nARG BUILDKIT_SBOM_SCAN_STAGE=base,build\n")).toEqual([remark]);
  expect(remarks("FROM scratch\n", { BUILDKIT_SBOM_SCAN_CONTEXT: "1" })).toHaveLength(1);
  expect(remarks("FROM scratch\nARG BUILDKIT_SBOM_SCAN_STAGE=true\n", { BUILDKIT_SBOM_SCAN_STAGE: "false" })).toEqual(
    [],
  );
  expect(remarks("FROM scratch\nARG BUILDKIT_SBOM_SCAN_CONTEXT\n")).toEqual([]);
});
