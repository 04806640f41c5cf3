import { expect, test } from "bun:test";
import { NotFoundError } from "#errors/errors.ts";
import type { Digest } from "#spec/digest.ts";
import { descendsFrom } from "./ancestor-filter.ts";

const digest = (text: string): Digest => `sha256:${text}` as Digest;
const IMAGES: Readonly<Record<string, readonly string[]>> = { base: ["1"], app: ["1", "2"], other: ["3"], empty: [] };

const images = {
  find: (name: string) => {
    if (!IMAGES[name]) throw new NotFoundError(`No such image: ${name}`);
    return {
      id: digest(name),
      config: { os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [] } },
    };
  },
  layers: (id: Digest) =>
    (IMAGES[id.slice("sha256:".length)] ?? []).map((name) => ({ diffId: digest(name), path: `/${name}` })),
} as unknown as Parameters<typeof descendsFrom>[0];

test("descendsFrom() matches an image and those built on it, and nothing for unknown names or images without layers", () => {
  const matches = (...names: string[]): string[] => {
    const test = descendsFrom(images, names);
    return Object.keys(IMAGES).filter((name) => test({ imageId: digest(name) } as Parameters<typeof test>[0]));
  };
  expect(matches("base")).toEqual(["base", "app"]);
  expect(matches("app")).toEqual(["app"]);
  expect(matches("empty")).toEqual(["empty"]);
  expect(matches("nope", "other")).toEqual(["other"]);
});
