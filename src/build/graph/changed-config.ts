import { InvalidParameterError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import type { ImageConfig } from "#spec/oci-image.ts";
import { parseDockerfile } from "../instructions/parse-dockerfile.ts";
import { compileStage } from "./compile-stage.ts";
import type { PlannedStage } from "./stage-plan.ts";
import { StepNamer } from "./step-name.ts";
import { VariableList } from "./variables.ts";

/** What `commit --change` may say. https://docs.docker.com/reference/cli/docker/container/commit/#change */
const ALLOWED: readonly string[] = [
  "cmd",
  "entrypoint",
  "env",
  "expose",
  "label",
  "onbuild",
  "user",
  "volume",
  "workdir",
];

/** An image config with Dockerfile instructions applied to it. Throws DockerfileError, or InvalidParameterError for one that needs a build. */
export function changedConfig(config: ImageConfig, changes: readonly string[]): ImageConfig {
  const lines = changes.filter((line) => line.trim() !== "");
  if (lines.length === 0) return config;
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
    cacheNamespace: "",
    stageGraph: () => undefined,
  });
  return { ...config, config: image.config };
}
