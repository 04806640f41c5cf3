import { statSync } from "node:fs";
import { join } from "node:path";
import { type Finished, type RunOptions, run } from "./child.ts";
import type { PrivateEngine } from "./private-engine.ts";

const PROGRAM = join(import.meta.dirname, "..", "..", ".cache", "docker-20.10");

/** Whether tools/setup.sh found a docker whose BuildKit client is built in; an empty file says that it found none. */
export const HAS_BUILDKIT_DOCKER: boolean = (statSync(PROGRAM, { throwIfNoEntry: false })?.size ?? 0) > 0;

/** Runs `docker ARGS` of docker 20.10 with BuildKit against `engine`. */
export function buildkitDocker(
  engine: PrivateEngine,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const env = {
    DOCKER_HOST: `unix://${engine.socket}`,
    DOCKER_BUILDKIT: "1",
    BUILDKIT_PROGRESS: "plain",
    ...options.env,
  };
  return run(PROGRAM, args, { ...options, env });
}
