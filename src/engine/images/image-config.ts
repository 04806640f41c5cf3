import { parseDigest } from "#formats/digest.ts";
import {
  type Decoder,
  type Fields,
  flag,
  integer,
  list,
  map,
  object,
  text,
  textList,
  textMap,
} from "#lib/json-decoder.ts";
import type { ContainerDefaults, HealthConfig, HistoryEntry, ImageConfig } from "#spec/oci-image.ts";

/** A command: a list, or one word as a string. https://github.com/moby/moby/blob/master/api/types/strslice/strslice.go */
const command: Decoder<readonly string[]> = (value, path) =>
  typeof value === "string" ? [value] : textList(value, path);

/** Names with nothing behind them: `{"80/tcp": {}}`. */
const nameSet = map<Record<string, never>>(object({}, {}), {});

const healthConfig = object<HealthConfig>(
  {
    Test: textList,
    Interval: integer,
    Timeout: integer,
    StartPeriod: integer,
    StartInterval: integer,
    Retries: integer,
  },
  {},
);

/** What images and clients both say of a container. */
export const CONTAINER_DEFAULTS_FIELDS: Fields<ContainerDefaults> = {
  User: text,
  ExposedPorts: nameSet,
  Env: textList,
  Entrypoint: command,
  Cmd: command,
  Volumes: nameSet,
  WorkingDir: text,
  Labels: textMap,
  StopSignal: text,
  StopTimeout: integer,
  ArgsEscaped: flag,
  Healthcheck: healthConfig,
  OnBuild: textList,
  Shell: command,
};

const historyEntry = object<HistoryEntry>(
  { created: text, created_by: text, author: text, comment: text, empty_layer: flag },
  {},
);

/**
 * An image config, as it comes from registries and archives: what of it Berth relies on. Throws InvalidParameterError.
 * https://github.com/opencontainers/image-spec/blob/main/config.md#properties
 */
export const decodeImageConfig: Decoder<ImageConfig> = object<ImageConfig>(
  {
    created: text,
    author: text,
    architecture: text,
    variant: text,
    os: text,
    "os.version": text,
    config: object(CONTAINER_DEFAULTS_FIELDS, {}),
    rootfs: object<ImageConfig["rootfs"]>(
      {
        type: () => "layers",
        diff_ids: list((value, path) => parseDigest(text(value, path))),
      },
      { type: "layers", diff_ids: [] },
    ),
    history: list(historyEntry),
    "moby.buildkit.cache.v0": text,
  },
  { architecture: "", os: "", rootfs: { type: "layers", diff_ids: [] } },
);
