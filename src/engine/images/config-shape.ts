/**
 * What the config of an image must look like before anything relies on its types: it comes from registries and archives, and its types in
 * spec/oci-image.ts are only a promise.
 */
import { type Shape, shapeProblem } from "#lib/json-shape.ts";

const STRINGS: Shape = { listOf: "string" };
const STRING_MAP: Shape = { mapOf: "string" };
const KEYS: Shape = { mapOf: "object" };

const CONTAINER_DEFAULTS: Readonly<Record<string, Shape>> = {
  User: "string",
  ExposedPorts: KEYS,
  Env: STRINGS,
  Entrypoint: STRINGS,
  Cmd: STRINGS,
  Volumes: KEYS,
  WorkingDir: "string",
  Labels: STRING_MAP,
  StopSignal: "string",
  StopTimeout: "number",
  Healthcheck: { fields: { Test: STRINGS, Interval: "number", Timeout: "number", Retries: "number" } },
  OnBuild: STRINGS,
  Shell: STRINGS,
};

/** https://github.com/opencontainers/image-spec/blob/main/config.md#properties */
const IMAGE_CONFIG: Shape = {
  fields: {
    created: "string",
    author: "string",
    architecture: "string",
    os: "string",
    variant: "string",
    config: { fields: CONTAINER_DEFAULTS },
    history: {
      listOf: {
        fields: {
          created: "string",
          created_by: "string",
          author: "string",
          comment: "string",
          empty_layer: "boolean",
        },
      },
    },
  },
};

/** What is wrong with the types in an image's config, in words; undefined when nothing is. */
export function imageConfigProblem(config: unknown): string | undefined {
  return shapeProblem(config, IMAGE_CONFIG, "config");
}
