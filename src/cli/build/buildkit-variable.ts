import { InvalidParameterError } from "#errors/errors.ts";
import { parseGoBool } from "#lib/go-bool.ts";

/**
 * DOCKER_BUILDKIT chooses between docker's two builders. Berth's does the work of both, so that only what is no choice at all matters. Throws
 * InvalidParameterError in docker's words. https://github.com/docker/cli/blob/v28.2.2/cmd/docker/builder.go
 */
export function checkBuildkitVariable(environment: Readonly<Record<string, string | undefined>>): void {
  const value = environment["DOCKER_BUILDKIT"];
  if (!value || parseGoBool(value) !== undefined) return;
  throw new InvalidParameterError(
    `DOCKER_BUILDKIT environment variable expects boolean value: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
  );
}
