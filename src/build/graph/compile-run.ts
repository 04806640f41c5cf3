import { ForbiddenError } from "#errors/errors.ts";
import { type RunScript, runDescription, scriptOf } from "../instructions/run-script.ts";
import type { RunInstruction } from "../instructions/types.ts";
import { compileMounts, withMaskedSecrets } from "./compile-mounts.ts";
import type { FilesOrigin, RunStep } from "./graph-types.ts";
import { SCAN_ARGS } from "./scan-targets.ts";
import type { CompileOptions, StageContext } from "./stage-context.ts";
import { stepDevices } from "./step-devices.ts";
import { stepText } from "./step-name.ts";

/** Where a heredoc that names its own interpreter lies while it runs. BuildKit's path. */
const SCRIPT_DIRECTORY = "/dev/pipes";

/** RUN as a step, and its history entry: the declared ARGs with their values, then the command. */
export function compileRun(
  instruction: RunInstruction,
  origins: readonly (FilesOrigin | undefined)[],
  context: StageContext,
  isTrigger: boolean,
): { readonly step: RunStep; readonly createdBy: string } {
  const script = scriptOf(instruction);
  const mounts = compileMounts(instruction, origins, context);
  const args = argsOf(script, context);
  const { variables, image, options } = context;
  const hostname = options.buildArgs["BUILDKIT_SANDBOX_HOSTNAME"];
  const shown = withMaskedSecrets(variables, mounts);
  const text = stepText(runDescription(instruction), shown, { escape: options.escape, isShell: true });
  const step: RunStep = {
    kind: "run",
    name: context.namer.next(text, { isTrigger, variables }),
    source: instruction.source,
    args,
    env: variables.toEnvironment().filter((variable) => !isScanArg(variable)),
    proxyEnv: options.proxyEnv,
    cwd: image.workingDir === "" ? "/" : image.workingDir,
    user: image.user,
    network: networkOf(instruction, options),
    security: securityOf(instruction, options),
    mounts,
    devices: instruction.devices,
    ...devicesOf(instruction, options),
    ...(hostname === undefined ? {} : { hostname }),
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
function networkOf(instruction: RunInstruction, { networkMode, entitlements }: CompileOptions): string {
  if (instruction.network === "default") return networkMode;
  if (instruction.network === "host" && networkMode !== "host" && !entitlements.includes("network.host")) {
    throw new ForbiddenError("network.host is not allowed: it needs --allow network.host");
  }
  return instruction.network;
}

function securityOf({ security }: RunInstruction, { entitlements }: CompileOptions): RunStep["security"] {
  if (security === "insecure" && !entitlements.includes("security.insecure")) {
    throw new ForbiddenError("security.insecure is not allowed: it needs --allow security.insecure");
  }
  return security;
}

function devicesOf(
  { devices }: RunInstruction,
  options: CompileOptions,
): Pick<RunStep, "grantedDevices" | "missingDevices"> {
  const { granted, missing } = stepDevices(devices, options.entitlements, options.devices);
  return { grantedDevices: granted, missingDevices: missing };
}

/** What is declared for the builder is no variable of commands. */
function isScanArg(variable: string): boolean {
  return Object.values(SCAN_ARGS).some((name) => variable.startsWith(`${name}=`));
}
