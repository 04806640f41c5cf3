import { InvalidParameterError } from "#errors/errors.ts";
import { type RunScript, runDescription, scriptOf } from "../instructions/run-script.ts";
import type { RunInstruction } from "../instructions/types.ts";
import type { RunStep } from "./graph-types.ts";
import type { StageContext } from "./stage-context.ts";
import { stepText } from "./step-name.ts";

/** Where a heredoc that names its own interpreter lies while it runs. BuildKit's path. */
const SCRIPT_DIRECTORY = "/dev/pipes";

/** RUN as a step, and its history entry: the declared ARGs with their values, then the command. */
export function compileRun(
  instruction: RunInstruction,
  context: StageContext,
  isTrigger: boolean,
): { readonly step: RunStep; readonly createdBy: string } {
  const script = scriptOf(instruction);
  const args = argsOf(script, context);
  const { variables, image, options } = context;
  const text = stepText(runDescription(instruction), variables, { escape: options.escape, isShell: true });
  const step: RunStep = {
    kind: "run",
    name: context.namer.next(text, isTrigger),
    source: instruction.source,
    args,
    env: variables.toEnvironment(),
    proxyEnv: options.proxyEnv,
    cwd: image.workingDir === "" ? "/" : image.workingDir,
    user: image.user,
    network: networkOf(instruction, options.networkMode),
    ...(script.kind === "file"
      ? { script: { path: `${SCRIPT_DIRECTORY}/${script.name}`, content: script.content } }
      : {}),
  };
  const createdBy = ["RUN", ...declaredArgs(context), ...args, "# buildkit"].join(" ");
  return { step, createdBy };
}

function argsOf(script: RunScript, context: StageContext): readonly string[] {
  switch (script.kind) {
    case "exec":
      return script.args;
    case "shell":
      return context.wrap({ form: "shell", line: script.line });
    case "file":
      return [`${SCRIPT_DIRECTORY}/${script.name}`];
  }
}

/** `|2 A=1 B=2`: the ARGs in the order of their first declaration, with the values that the process sees. */
function declaredArgs({ buildArgs, variables }: StageContext): readonly string[] {
  const names = [...new Set(buildArgs)];
  if (names.length === 0) return [];
  return [`|${names.length}`, ...names.map((name) => `${name}=${variables.get(name) ?? ""}`)];
}

/** The host's network is the caller's to give, not the Dockerfile's. */
function networkOf(instruction: RunInstruction, networkMode: string): string {
  if (instruction.network === "default") return networkMode;
  if (instruction.network === "host" && networkMode !== "host") {
    throw new InvalidParameterError("network.host is not allowed");
  }
  return instruction.network;
}
