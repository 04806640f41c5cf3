import type { Dockerfile } from "../instructions/types.ts";

/** Those that steps get without an ARG. https://docs.docker.com/reference/dockerfile/#predefined-args */
const PREDEFINED = /^(?:HTTP_PROXY|HTTPS_PROXY|FTP_PROXY|NO_PROXY|ALL_PROXY|SOURCE_DATE_EPOCH|BUILDKIT_.*)$/i;

/** The names of given build arguments that no ARG names, sorted: most likely mistyped. */
export function unusedArgs(
  { globalArgs, stages }: Dockerfile,
  { buildArgs }: { readonly buildArgs: Readonly<Record<string, string>> },
): readonly string[] {
  const declared = new Set(
    [...globalArgs, ...stages.flatMap(({ instructions }) => instructions)].flatMap((instruction) =>
      instruction.kind === "arg" ? instruction.args.map(({ key }) => key) : [],
    ),
  );
  return Object.keys(buildArgs)
    .filter((name) => !declared.has(name) && !PREDEFINED.test(name))
    .sort();
}
