/** One of BuildKit's build checks. https://docs.docker.com/reference/build-checks/ */
export interface CheckRule {
  readonly description: string;
  /** "" for the one that has no page. */
  readonly url: string;
  /** Applied only when `# check=experimental=` names it. */
  readonly isExperimental: boolean;
  /** The finding in words. */
  readonly format: (...args: readonly string[]) => string;
}

const DOCUMENTED = "https://docs.docker.com/go/dockerfile/rule/";

function rule(description: string, page: string, format: CheckRule["format"]): CheckRule {
  return { description, url: page === "" ? "" : `${DOCUMENTED}${page}/`, isExperimental: false, format };
}

function suggested(text: string, suggestion: string): string {
  return suggestion === "" ? text : `${text} (did you mean ${suggestion}?)`;
}

export type RuleName =
  | "StageNameCasing"
  | "FromAsCasing"
  | "NoEmptyContinuation"
  | "ConsistentInstructionCasing"
  | "DuplicateStageName"
  | "ReservedStageName"
  | "JSONArgsRecommended"
  | "MaintainerDeprecated"
  | "UndefinedArgInFrom"
  | "WorkdirRelativePath"
  | "UndefinedVar"
  | "MultipleInstructionsDisallowed"
  | "LegacyKeyValueFormat"
  | "InvalidBaseImagePlatform"
  | "RedundantTargetPlatform"
  | "SecretsUsedInArgOrEnv"
  | "InvalidDefaultArgInFrom"
  | "FromPlatformFlagConstDisallowed"
  | "CopyIgnoredFile"
  | "InvalidDefinitionDescription"
  | "ExposeProtoCasing"
  | "ExposeInvalidFormat";

/** Name, description, page and words are BuildKit's: https://github.com/moby/buildkit/blob/master/frontend/dockerfile/linter/ruleset.go */
export const CHECK_RULES: Readonly<Record<RuleName, CheckRule>> = {
  StageNameCasing: rule(
    "Stage names should be lowercase",
    "stage-name-casing",
    (stage) => `Stage name '${stage}' should be lowercase`,
  ),
  FromAsCasing: rule(
    "The 'as' keyword should match the case of the 'from' keyword",
    "from-as-casing",
    (from, as) => `'${as}' and '${from}' keywords' casing do not match`,
  ),
  NoEmptyContinuation: rule(
    "Empty continuation lines will become errors in a future release",
    "no-empty-continuation",
    () => "Empty continuation line",
  ),
  ConsistentInstructionCasing: rule(
    "All commands within the Dockerfile should use the same casing (either upper or lower)",
    "consistent-instruction-casing",
    (command, casing) => `Command '${command}' should match the case of the command majority (${casing})`,
  ),
  DuplicateStageName: rule(
    "Stage names should be unique",
    "duplicate-stage-name",
    (stage) => `Duplicate stage name ${JSON.stringify(stage)}, stage names should be unique`,
  ),
  ReservedStageName: rule(
    "Reserved words should not be used as stage names",
    "reserved-stage-name",
    (stage) => `Stage name should not use the same name as reserved stage ${JSON.stringify(stage)}`,
  ),
  JSONArgsRecommended: rule(
    "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals",
    "json-args-recommended",
    (command) => `JSON arguments recommended for ${command} to prevent unintended behavior related to OS signals`,
  ),
  MaintainerDeprecated: rule(
    "The MAINTAINER instruction is deprecated, use a label instead to define an image author",
    "maintainer-deprecated",
    () => "Maintainer instruction is deprecated in favor of using label",
  ),
  UndefinedArgInFrom: rule("FROM command must use declared ARGs", "undefined-arg-in-from", (name, near = "") =>
    suggested(`FROM argument '${name}' is not declared`, near),
  ),
  WorkdirRelativePath: rule(
    "Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes",
    "workdir-relative-path",
    (path) => `Relative workdir ${JSON.stringify(path)} can have unexpected results if the base image changes`,
  ),
  UndefinedVar: rule("Variables should be defined before their use", "undefined-var", (name, near = "") =>
    suggested(`Usage of undefined variable '$${name}'`, near === "" ? "" : `$${near}`),
  ),
  MultipleInstructionsDisallowed: rule(
    "Multiple instructions of the same type should not be used in the same stage",
    "multiple-instructions-disallowed",
    (command) =>
      `Multiple ${command} instructions should not be used in the same stage because only the last one will be used`,
  ),
  LegacyKeyValueFormat: rule(
    "Legacy key/value format with whitespace separator should not be used",
    "legacy-key-value-format",
    (command) => `"${command} key=value" should be used instead of legacy "${command} key value" format`,
  ),
  InvalidBaseImagePlatform: rule(
    "Base image platform does not match expected target platform",
    "",
    (image, expected, actual) =>
      `Base image ${image} was pulled with platform ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)} for current build`,
  ),
  RedundantTargetPlatform: rule(
    "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
    "redundant-target-platform",
    (variable) => `Setting platform to predefined ${variable} in FROM is redundant as this is the default behavior`,
  ),
  SecretsUsedInArgOrEnv: rule(
    "Sensitive data should not be used in the ARG or ENV commands",
    "secrets-used-in-arg-or-env",
    (command, key) => `Do not use ARG or ENV instructions for sensitive data (${command} ${JSON.stringify(key)})`,
  ),
  InvalidDefaultArgInFrom: rule(
    "Default value for global ARG results in an empty or invalid base image name",
    "invalid-default-arg-in-from",
    (base) => `Default value for ARG ${base} results in empty or invalid base image name`,
  ),
  FromPlatformFlagConstDisallowed: rule(
    "FROM --platform flag should not use a constant value",
    "from-platform-flag-const-disallowed",
    (platform) => `FROM --platform flag should not use constant value ${JSON.stringify(platform)}`,
  ),
  CopyIgnoredFile: rule(
    "Attempting to Copy file that is excluded by .dockerignore",
    "copy-ignored-file",
    (command, path) => `Attempting to ${command} file ${JSON.stringify(path)} that is excluded by .dockerignore`,
  ),
  InvalidDefinitionDescription: {
    ...rule(
      "Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.",
      "invalid-definition-description",
      (command, name) => `Comment for ${command} should follow the format: \`# ${name} <description>\``,
    ),
    isExperimental: true,
  },
  ExposeProtoCasing: rule(
    "Protocol in EXPOSE instruction should be lowercase",
    "expose-proto-casing",
    (port) => `Defined protocol '${port}' in EXPOSE instruction should be lowercase`,
  ),
  ExposeInvalidFormat: rule(
    "IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release",
    "expose-invalid-format",
    (port) => `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`,
  ),
};
