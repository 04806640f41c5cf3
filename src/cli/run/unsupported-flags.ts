/** Flags of docker's that mean nothing here: refused, and why. */
import { NotImplementedError } from "#errors/errors.ts";
import { parseGoBool } from "#lib/go-bool.ts";
import type { Invocation } from "../grammar/command.ts";
import type { Flag, FlagValues } from "../grammar/flag.ts";
import { StatusError } from "../status-error.ts";
import type { ContainerFlags } from "./container-flag-types.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const WINDOWS_FLAGS = ["cpu-count", "cpu-percent", "io-maxbandwidth", "io-maxiops"];

/** Throws StatusError, in docker's words, for a flag of Windows, and NotImplementedError for one that Berth does not have. */
export function checkUnsupported(
  flags: FlagValues<ContainerFlags>,
  given: ReadonlySet<string>,
  environment: Environment,
): void {
  const windows = WINDOWS_FLAGS.find((name) => given.has(name));
  if (windows) {
    throw new StatusError(
      1,
      `"--${windows}" is only supported on a Docker daemon running on windows, but the Docker daemon is running on linux`,
    );
  }
  if (flags["use-api-socket"]) {
    throw new NotImplementedError(
      "--use-api-socket is not supported: it would put registry credentials into the container; mount the engine's socket with --volume",
    );
  }
  checkContentTrust({ flags, given }, environment);
}

/**
 * Who wants signatures checked, by `--disable-content-trust=false` or DOCKER_CONTENT_TRUST, must not be served without. Throws
 * NotImplementedError. What docker takes for yes: https://github.com/docker/cli/blob/v28.2.2/cli/command/trust.go
 */
export function checkContentTrust(
  { flags, given }: Pick<Invocation<{ readonly "disable-content-trust": Flag<boolean> }>, "flags" | "given">,
  environment: Environment,
): void {
  const isGiven = given.has("disable-content-trust");
  if (isGiven && !flags["disable-content-trust"]) {
    throw new NotImplementedError("content trust is not supported: leave out --disable-content-trust=false");
  }
  const variable = environment["DOCKER_CONTENT_TRUST"];
  if (variable && !isGiven && parseGoBool(variable) !== false) {
    throw new NotImplementedError(
      "content trust is not supported: unset DOCKER_CONTENT_TRUST, or give --disable-content-trust",
    );
  }
}
