/** Flags of docker's that mean nothing here: refused, and why. */
import { NotImplementedError } from "#errors/errors.ts";
import type { FlagValues } from "../grammar/flag.ts";
import { StatusError } from "../status-error.ts";
import type { ContainerFlags } from "./container-flag-types.ts";

const WINDOWS_FLAGS = ["cpu-count", "cpu-percent", "io-maxbandwidth", "io-maxiops"];

/** Throws StatusError, in docker's words, for a flag of Windows, and NotImplementedError for one that Berth does not have. */
export function checkUnsupported(flags: FlagValues<ContainerFlags>, given: ReadonlySet<string>): void {
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
  if (!flags["disable-content-trust"]) {
    throw new NotImplementedError("content trust is not supported: leave out --disable-content-trust=false");
  }
}
