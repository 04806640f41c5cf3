import type { ContainerConfig } from "#spec/docker-api.ts";
import type { HealthConfig } from "#spec/oci-image.ts";
import {
  command,
  type Decoder,
  type Fields,
  flag,
  integer,
  nameSet,
  object,
  text,
  textList,
  textMap,
} from "./decoder.ts";

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
