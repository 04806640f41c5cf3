import { type Decoder, type Fields, flag, integer, map, object, text, textList, textMap } from "#lib/json-decoder.ts";
import type { ContainerConfig } from "#spec/docker-api.ts";
import type { HealthConfig } from "#spec/oci-image.ts";

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

/** `Config` stands at the top of the body of create, beside HostConfig. */
export const CONTAINER_CONFIG_FIELDS: Fields<ContainerConfig> = {
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
  Hostname: text,
  Domainname: text,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  Tty: flag,
  OpenStdin: flag,
  StdinOnce: flag,
  Image: text,
  MacAddress: text,
};

/** The body of `POST /commit`: what to replace in the container's Config. */
export const decodeContainerConfig: Decoder<ContainerConfig> = object(CONTAINER_CONFIG_FIELDS, {});
