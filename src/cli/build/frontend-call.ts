/** `build --check`, `--call=check|outline|targets[,format=json]`: https://docs.docker.com/reference/cli/docker/buildx/build/#call */
import { type BuildRequest, callBuild } from "#client/build.ts";
import { InvalidParameterError, SystemError } from "#errors/errors.ts";
import type { BuildOutline, CheckResult, TargetList } from "#spec/build-check.ts";
import type { BuildFailure, SolveStatus } from "#spec/solve-status.ts";
import { failureText } from "../build-progress/failure-text.ts";
import type { Progress } from "../build-progress/progress.ts";
import type { CommandContext } from "../grammar/command.ts";
import { checkText, outlineText, targetsText } from "./call-text.ts";

export interface CallOptions {
  /** `check,format=json,ignorestatus=1`. */
  readonly call: string;
  /** The Dockerfile as findings name it; undefined: as the engine does. */
  readonly shownName: string | undefined;
  readonly progress: Progress;
  readonly context: CommandContext;
}

interface ParsedCall {
  readonly name: "check" | "outline" | "targets";
  readonly isJson: boolean;
  readonly ignoresStatus: boolean;
}

/** The exit code: 1 when the checks found something or the Dockerfile is none. Throws InvalidParameterError for a bad `--call`. */
export async function runCall(build: BuildRequest, options: CallOptions): Promise<number> {
  const { context, progress } = options;
  const parsed = parseCall(options.call);
  let answer: unknown;
  let failure: BuildFailure | undefined;
  try {
    for await (const message of callBuild(context.engine, build, parsed.name)) {
      if (message.id === "berth.solve") await progress.update(message.aux as SolveStatus);
      else if (message.id === "berth.call") answer = message.aux;
      else if (message.error) failure = { message: message.error, ...(message.aux as Partial<BuildFailure>) };
    }
  } finally {
    await progress.finish();
  }
  if (failure) {
    await context.streams.stderr.write(failureText(failure));
    return 1;
  }
  if (answer === undefined) throw new SystemError("the engine ended the connection before it had answered");
  return await print(answer, parsed, options);
}

async function print(
  answer: unknown,
  { name, isJson, ignoresStatus }: ParsedCall,
  options: CallOptions,
): Promise<number> {
  const { stdout, stderr } = options.context.streams;
  if (isJson) await stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  if (name === "targets" && !isJson) await stdout.write(targetsText(answer as TargetList));
  if (name === "outline" && !isJson) await stdout.write(outlineText(answer as BuildOutline));
  if (name !== "check") return 0;
  const result = answer as CheckResult;
  const { findings, failure } = checkText(result, options.shownName);
  if (!isJson) await stdout.write(findings);
  await stderr.write(failure);
  const isBad = result.warnings.length > 0 || result.buildError !== undefined;
  return isBad && !(ignoresStatus && !result.buildError) ? 1 : 0;
}

function parseCall(text: string): ParsedCall {
  const [name = "", ...fields] = text.split(",");
  if (name !== "check" && name !== "lint" && name !== "outline" && name !== "targets") {
    throw new InvalidParameterError(
      `invalid --call ${JSON.stringify(name)}: a Dockerfile answers "check", "outline" and "targets"`,
    );
  }
  let isJson = false;
  let ignoresStatus = false;
  for (const field of fields) {
    const [key = "", value = ""] = field.split("=", 2);
    if (key === "format" && (value === "json" || value === "text")) isJson = value === "json";
    else if (key === "ignorestatus") ignoresStatus = /^(1|t|true)$/i.test(value);
    else
      throw new InvalidParameterError(
        `invalid --call option ${JSON.stringify(field)}: use format=json or ignorestatus=true`,
      );
  }
  return { name: name === "lint" ? "check" : name, isJson, ignoresStatus };
}
