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
  expect(remarks("# syntax=mirror.example:5000/hub/docker/dockerfile:1\nFROM scratch\n")).toEqual([]);
  expect(remarks("# syntax=example.org/notdocker/dockerfile\nFROM scratch\n")).toHaveLength(1);
  expect(remarks(own, { BUILDKIT_SYNTAX: "example.org/front:2" })).toEqual([
    "the frontend example.org/front:2 is not run: Berth reads the Dockerfile itself, as docker/dockerfile does",
  ]);
  expect(unfollowed(undefined, { BUILDKIT_SYNTAX: "front" })).toHaveLength(1);
});
