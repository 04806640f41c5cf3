import type { Dockerfile } from "./instructions/types.ts";

/**
 * What a Dockerfile asks of its frontend and a build does not do, each in a sentence for who builds. `dockerfile` is undefined when it cannot be read.
 */
export function unfollowed(
  dockerfile: Dockerfile | undefined,
  buildArgs: Readonly<Record<string, string>>,
): readonly string[] {
  const syntax = buildArgs["BUILDKIT_SYNTAX"] ?? dockerfile?.syntax ?? "";
  if (syntax === "" || isDockersFrontend(syntax)) return [];
  return [`the frontend ${syntax} is not run: Berth reads the Dockerfile itself, as docker/dockerfile does`];
}

/** Docker's own frontends, of whatever version and from whatever mirror (`registry.example/docker/dockerfile:1`), are what Berth's parser stands for. */
export function isDockersFrontend(image: string): boolean {
  return /(^|\/)docker\/dockerfile(-upstream)?([:@]|$)/.test(image);
}
