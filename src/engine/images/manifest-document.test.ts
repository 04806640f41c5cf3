import { expect, test } from "bun:test";
import { hostPlatform } from "#formats/platform.ts";
import { parseImageConfig } from "./manifest-document.ts";

const parse = (document: unknown): ReturnType<typeof parseImageConfig> =>
  parseImageConfig(Buffer.from(JSON.stringify(document)));

test("parseImageConfig() takes a config that names no platform for this machine's, and keeps one that does", () => {
  const rootfs = { type: "layers", diff_ids: [] };
  expect(parse({ rootfs })).toMatchObject({ os: "linux", architecture: hostPlatform().architecture });
  expect(parse({ rootfs, os: "windows", architecture: "arm64" })).toMatchObject({
    os: "windows",
    architecture: "arm64",
  });
  expect(() => parse({ rootfs: { diff_ids: Array(1025).fill(`sha256:${"0".repeat(64)}`) } })).toThrow("1024 layers");
});
