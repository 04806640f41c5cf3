import { InvalidParameterError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import type { ContainerDefaults, ImageConfig } from "#spec/oci-image.ts";
import { parseDockerfile } from "../instructions/parse-dockerfile.ts";
import { compileStage } from "./compile-stage.ts";
import type { PlannedStage } from "./stage-plan.ts";
import { NO_DEVICES } from "./step-devices.ts";
import { StepNamer } from "./step-name.ts";
import { splitVariable, VariableList } from "./variables.ts";

/** What `commit --change` and `import --change` may say. https://docs.docker.com/reference/cli/docker/container/commit/#change */
const ALLOWED: readonly string[] = [
  "cmd",
  "entrypoint",
  "env",
  "expose",
  "healthcheck",
  "label",
  "onbuild",
  "stopsignal",
  "user",
  "volume",
  "workdir",
];

/** An image config with Dockerfile instructions applied to it. Throws DockerfileError, or InvalidParameterError for one that needs a build. */
export function changedConfig(config: ImageConfig, changes: readonly string[]): ImageConfig {
  const lines = changes.filter((line) => line.trim() !== "");
  if (lines.length === 0) return config;
  for (const line of lines) {
    const [word = ""] = line.trim().split(/\s+/, 1);
    if (!ALLOWED.includes(word.toLowerCase())) throw new InvalidParameterError(`${word} is not a valid change command`);
  }
  const dockerfile = parseDockerfile(new TextEncoder().encode(`FROM scratch\n${lines.join("\n")}\n`));
  const [written] = dockerfile.stages;
  if (!written || dockerfile.stages.length > 1) throw new InvalidParameterError("FROM is not a valid change command");
  for (const { kind } of written.instructions) {
    if (!ALLOWED.includes(kind)) throw new InvalidParameterError(`${kind} is not a valid change command`);
  }
  const stage: PlannedStage = {
    index: 0,
    name: "",
    displayName: "",
    source: written.source,
    text: "",
    base: undefined,
    reference: "",
    baseName: "",
    context: undefined,
    platform: { os: config.os, architecture: config.architecture },
    instructions: written.instructions.map((instruction) => ({ instruction, from: [], isTrigger: false })),
    stepCount: 0,
    isCopiedImage: false,
  };
  const base = {
    kind: "image",
    image: { id: digestOf(""), config, layers: [] },
    reference: "",
    platform: stage.platform,
    name: "",
    source: written.source,
  } as const;
  const { image } = compileStage(stage, base, new StepNamer(stage, false), {
    escape: dockerfile.escape,
    globalScope: new VariableList(),
    buildArgs: {},
    proxyEnv: [],
    networkMode: "default",
    epoch: undefined,
    entitlements: [],
    devices: NO_DEVICES,
    cacheNamespace: "",
    settings: new Map(),
    stageGraph: () => undefined,
  });
  const setsPath = written.instructions.some(
    (instruction) => instruction.kind === "env" && instruction.pairs.some(({ key }) => key === "PATH"),
  );
  return { ...config, config: withoutAdditions(image.config, config.config ?? {}, setsPath) };
}

/**
 * Without what builds add and a change does not: the PATH of images that have none, which only RUN needs, and the mark that a command's arguments
 * are escaped.
 */
function withoutAdditions(changed: ContainerDefaults, before: ContainerDefaults, setsPath: boolean): ContainerDefaults {
  const isPath = (variable: string): boolean => splitVariable(variable)[0] === "PATH";
  const { Env: env = [], ArgsEscaped: _, ...rest } = changed;
  const keepsPath = setsPath || (before.Env ?? []).some(isPath);
  const kept = (env ?? []).filter((variable) => keepsPath || !isPath(variable));
  return {
    ...rest,
    ...(before.ArgsEscaped ? { ArgsEscaped: true } : {}),
    ...(kept.length > 0 ? { Env: kept } : {}),
  };
}
