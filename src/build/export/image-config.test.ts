import { expect, test } from "bun:test";
import { digestOf } from "#formats/digest.ts";
import type { StageGraph } from "../graph/graph-types.ts";
import { VariableList } from "../graph/variables.ts";
import type { SolvedLayer } from "../solve/solver-types.ts";
import { imageConfig } from "./image-config.ts";

const OLD = "2020-01-01T00:00:00.000Z";
const NEW = "2026-01-01T00:00:00.000Z";

function layer(name: string, created?: string): SolvedLayer {
  const diffId = digestOf(name);
  return {
    layer: { diffId, size: 0, contentSize: 0, fileSize: 0, path: "" },
    contentId: diffId,
    created: created === undefined ? undefined : Date.parse(created),
  };
}

function stage(history: StageGraph["image"]["history"]): StageGraph {
  return {
    index: 0,
    base: { kind: "scratch" },
    steps: [],
    image: { platform: { os: "linux", architecture: "amd64" }, config: { Labels: { z: "1" } }, history },
    scope: { variables: new VariableList(), buildArgs: [] },
    listing: [],
  };
}

test("imageConfig() dates entries by the layers, metadata by the first new layer", () => {
  const config = imageConfig(
    stage([
      { created: OLD, created_by: "base" },
      { created: OLD, created_by: "base meta", empty_layer: true },
      { created_by: "ENV", empty_layer: true },
      { created_by: "RUN" },
      { created_by: "CMD", empty_layer: true },
    ]),
    [layer("base"), layer("run", NEW)],
    { a: "2" },
  );
  expect(config.history?.map(({ created }) => created)).toEqual([OLD, OLD, NEW, NEW, NEW]);
  expect(config.created).toBe(NEW);
  expect(Object.entries(config.config?.Labels ?? {})).toEqual([
    ["a", "2"],
    ["z", "1"],
  ]);
});

test("imageConfig() of metadata alone takes the base's time; of nothing, none", () => {
  const meta = { created_by: "CMD", empty_layer: true };
  expect(imageConfig(stage([{ created: OLD }, meta]), [layer("base")], {}).created).toBe(OLD);
  expect(imageConfig(stage([meta]), [], {}).created).toBeUndefined();
});

test("imageConfig() adds entries for layers of which the history says nothing", () => {
  const config = imageConfig(stage([]), [layer("base")], {});
  expect(config.history).toEqual([{ comment: "buildkit.exporter.image.v0" }]);
});
