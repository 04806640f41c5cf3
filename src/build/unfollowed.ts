import type { Dockerfile } from "./instructions/types.ts";

/** What makes BuildKit's scanners look further than at the result. https://docs.docker.com/build/metadata/attestations/sbom/ */
const SCANS = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];

/**
 * What a Dockerfile asks of its frontend and a build does not do, each in a sentence for who builds. `dockerfile` is undefined when it cannot be read.
 */
export function unfollowed(
  dockerfile: Dockerfile | undefined,
  buildArgs: Readonly<Record<string, string>>,
): readonly string[] {
  const syntax = buildArgs["BUILDKIT_SYNTAX"] ?? dockerfile?.syntax ?? "";
  const scans = SCANS.filter((name) => isWanted(buildArgs[name] ?? (dockerfile && defaultOf(dockerfile, name))));
  return [
    ...(isForeign(syntax)
      ? [`the frontend ${syntax} is not run: Berth reads the Dockerfile itself, as docker/dockerfile does`]
      : []),
    ...scans.map((name) => `${name} is not followed: Berth's SBOMs are of a build's result alone`),
  ];
}

/** Docker's own frontends, of whatever version, are what Berth's parser stands for. */
function isForeign(syntax: string): boolean {
  return syntax !== "" && !/^(docker\.io\/)?docker\/dockerfile(-upstream)?([:@]|$)/.test(syntax);
}

/** The last value that an ARG gives, of the file or of a stage. */
function defaultOf({ globalArgs, stages }: Dockerfile, name: string): string | undefined {
  return [...globalArgs, ...stages.flatMap(({ instructions }) => instructions)]
    .flatMap((instruction) => (instruction.kind === "arg" ? instruction.args : []))
    .findLast(({ key }) => key === name)?.value;
}

/** A boolean, or a list of stages. */
function isWanted(value: string | undefined): boolean {
  return value !== undefined && !/^(|0|f|false)$/i.test(value);
}
