import { formatPlatform } from "#formats/platform.ts";
import type { Platform } from "#spec/oci-image.ts";
import { expandWord } from "../instructions/expand.ts";
import type { Dockerfile } from "../instructions/types.ts";
import { VariableList } from "./variables.ts";

export interface GlobalScopeOptions {
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  /** Name of the stage to build, "" if it has none. */
  readonly targetStage: string;
}

/**
 * The variables that `FROM` sees: the predefined platform arguments, then the ARGs before the first FROM. A stage sees one of
 * them only after it declares the name again. https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope
 */
export function globalScope(dockerfile: Dockerfile, options: GlobalScopeOptions): VariableList {
  const { buildArgs } = options;
  const platform = Object.entries(platformArgs(options)).map(
    ([name, value]) => [name, buildArgs[name] ?? value] as const,
  );
  return globalVariables(dockerfile, buildArgs, platform);
}

/** The ARGs before the first FROM, after those in `known`. */
export function globalVariables(
  dockerfile: Dockerfile,
  buildArgs: GlobalScopeOptions["buildArgs"],
  known: Iterable<readonly [string, string]>,
): VariableList {
  let scope = new VariableList(known);
  for (const instruction of dockerfile.globalArgs) {
    for (const { key, value } of instruction.args) {
      const given = buildArgs[key];
      const resolved = given ?? (value === undefined ? undefined : expandWord(value, scope, dockerfile.escape));
      if (resolved !== undefined) scope = scope.with(key, resolved);
    }
  }
  return scope;
}

function platformArgs(options: GlobalScopeOptions): Readonly<Record<string, string>> {
  return {
    ...describe("BUILD", options.buildPlatform),
    ...describe("TARGET", options.targetPlatform),
    TARGETSTAGE: options.targetStage === "" ? "default" : options.targetStage,
  };
}

function describe(prefix: "BUILD" | "TARGET", platform: Platform): Record<string, string> {
  return {
    [`${prefix}PLATFORM`]: formatPlatform(platform),
    [`${prefix}OS`]: platform.os,
    [`${prefix}OSVERSION`]: platform["os.version"] ?? "",
    [`${prefix}ARCH`]: platform.architecture,
    [`${prefix}VARIANT`]: platform.variant ?? "",
  };
}

const PROXY_NAMES = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

/** `NAME=value` for the proxy settings among `buildArgs`, in both cases: RUN gets them without any ARG. */
export function proxyEnvironment(buildArgs: Readonly<Record<string, string>>): string[] {
  return PROXY_NAMES.flatMap((name) => {
    const value = buildArgs[name] ?? buildArgs[name.toLowerCase()] ?? "";
    return value === "" ? [] : [`${name}=${value}`, `${name.toLowerCase()}=${value}`];
  });
}
