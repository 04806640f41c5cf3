import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BuildSession } from "#client/build-session/open-session.ts";
import { InvalidParameterError, SystemError } from "#errors/errors.ts";
import { goFileError } from "#lib/go-file-error.ts";
import type { TwiceReport } from "#spec/build-twice.ts";
import { withBuildContext } from "../../build/build-context.ts";
import { BUILD_FLAGS, type BuildInvocation } from "../../build/build-flags.ts";
import { buildRequest } from "../../build/build-request.ts";
import { checkBuildkitVariable } from "../../build/buildkit-variable.ts";
import { buildMetadata, builtId, followBuild, outcomeOf } from "../../build/follow-build.ts";
import type { ParsedOutputs } from "../../build/outputs.ts";
import { isRemoteUrl } from "../../build/remote-url.ts";
import { failureText } from "../../build-progress/failure-text.ts";
import { createProgress, type Progress } from "../../build-progress/progress.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand } from "../../grammar/command.ts";
import type { Output } from "../../streams.ts";

/** Exit code of `--twice` when the second build gave something else: 1 is for builds that fail. */
const DIFFERS = 2;

export const command: Command = defineCommand({
  usage: "[OPTIONS] PATH | URL | -",
  about: "Build an image from a Dockerfile",
  spellings: ["image build", "build", "builder build"],
  arguments: exactly(1),
  flags: BUILD_FLAGS,
  async run(invocation, context) {
    const { flags } = invocation;
    checkBuildkitVariable(context.environment);
    if (flags.plan || flags.advise) return await answer(invocation, context);
    if (flags.check || !["", "build"].includes(flags.call)) return await call(invocation, context);
    if (flags.format !== "") throw new InvalidParameterError("--format is for --plan and --advise");
    const { stdout, stderr } = context.streams;
    const progress = progressOf(flags, context);
    const source = { path: invocation.args[0] ?? "", dockerfile: flags.file };
    const outputs = await outputsOf(flags, context);
    using session = await openSession(flags, context);
    const outcome = await withBuildContext(source, context, async (build) => {
      const request = await buildRequest(build, invocation, context);
      return await followBuild(
        { ...request, outputs: outputs.requests, session: session?.id },
        { progress, context, targets: outputs.targets },
      );
    });
    if (flags.explain && outcome.build !== undefined) await explain(outcome.build, context);
    if (outcome.failure) {
      await stderr.write(failureText(outcome.failure, progress.remarks()));
      // A command that ended with a code has left a root to look at.
      if (outcome.build !== undefined && outcome.failure.code !== undefined)
        await stderr.write(`\nTo look around where it failed: berth build debug ${outcome.build}\n`);
      return 1;
    }
    await stderr.write(progress.remarks());
    if (flags.iidfile) writeResult(flags.iidfile, builtId(outcome));
    if (flags["metadata-file"]) writeResult(flags["metadata-file"], buildMetadata(outcome, flags.tag));
    const isStdoutTaken = outputs.targets.some((target) => target?.kind === "stdout");
    if (flags.quiet && !isStdoutTaken) await stdout.write(`${builtId(outcome)}\n`);
    return outcome.twice ? await showTwice(outcome.twice, isStdoutTaken ? stderr : stdout) : 0;
  },
});

/** Throws SystemError in docker's words. */
function writeResult(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new SystemError(goFileError("open", path, cause), { cause });
  }
}

/** `--explain`: the key of every step, from the build's record. */
async function explain(build: string, { engine, streams }: CommandContext): Promise<void> {
  const [{ inspectBuild }, { explanationText }] = await Promise.all([
    import("#client/build-history.ts"),
    import("../../output/build-record-text.ts"),
  ]);
  await streams.stderr.write(`\n${explanationText(await inspectBuild(engine, build))}`);
}

/** Most builds name no output: what reads them is loaded when one does. */
async function outputsOf(
  { output, push, load, annotation }: BuildInvocation["flags"],
  context: CommandContext,
): Promise<ParsedOutputs> {
  if (output.length === 0 && !push && !load && annotation.length === 0) return { requests: [], targets: [] };
  const { parseOutputs } = await import("../../build/outputs.ts");
  return await parseOutputs({ output, push, load, annotation }, context);
}

/** Whether the second build gave the same. The exit code. */
async function showTwice(report: TwiceReport, stream: Output): Promise<number> {
  const { twiceText } = await import("../../build/twice-text.ts");
  await stream.write(twiceText(report));
  return report.isSame ? 0 : DIFFERS;
}

/** What steps may ask the client for is served on a session; most builds need none. */
async function openSession(
  { secret, ssh }: BuildInvocation["flags"],
  context: CommandContext,
): Promise<BuildSession | undefined> {
  if (secret.length === 0 && ssh.length === 0) return undefined;
  const { buildServices } = await import("../../build/build-services.ts");
  const services = await buildServices(secret, ssh, context);
  const { openBuildSession } = await import("#client/build-session/open-session.ts");
  return await openBuildSession(context.engine, services);
}

/** Nothing is built that could go anywhere. Throws InvalidParameterError for the first flag that wants it to. */
function refuseResults(flags: BuildInvocation["flags"]): void {
  const given = (
    ["output", "annotation", "push", "load", "iidfile", "metadata-file", "twice", "explain"] as const
  ).find((name) => (Array.isArray(flags[name]) ? flags[name].length > 0 : Boolean(flags[name])));
  if (given)
    throw new InvalidParameterError(`--plan and --advise build nothing: they cannot be combined with --${given}`);
}

/** `--plan` and `--advise`: something about the build instead of the build. */
async function answer(invocation: BuildInvocation, context: CommandContext): Promise<number> {
  const { flags, args } = invocation;
  if (flags.pull)
    throw new InvalidParameterError("--plan and --advise ask no registry: they cannot be combined with --pull");
  refuseResults(flags);
  if (flags.plan && flags.advise) throw new InvalidParameterError("give --plan or --advise, not both");
  if (!["", "json"].includes(flags.format)) {
    throw new InvalidParameterError(`invalid --format "${flags.format}": --plan and --advise print text, or json`);
  }
  const { showAdvice, showPlan } = await import("../../build/answers.ts");
  const show = flags.plan ? showPlan : showAdvice;
  const source = { path: args[0] ?? "", dockerfile: flags.file };
  const result = await withBuildContext(source, context, async (build) =>
    show(await buildRequest(build, invocation, context), { isJson: flags.format === "json" }, context),
  );
  if (typeof result === "number") return result;
  const outcome = outcomeOf(result);
  await context.streams.stderr.write(outcome?.failure ? failureText(outcome.failure) : "");
  return 1;
}

/** `--check` and `--call`: what the Dockerfile says of itself, on stdout. Outputs are read and, as by docker, not made. */
async function call(invocation: BuildInvocation, context: CommandContext): Promise<number> {
  const { flags, args } = invocation;
  const { runCall } = await import("../../build/frontend-call.ts");
  await outputsOf(flags, context);
  const source = { path: args[0] ?? "", dockerfile: flags.file };
  const progress = progressOf(flags, context);
  return await withBuildContext(source, context, async (build) =>
    runCall(await buildRequest(build, invocation, context), {
      call: flags.check ? "check" : flags.call,
      shownName: shownDockerfile(source.path, flags.file),
      progress,
      context,
    }),
  );
}

/** As messages of checks name the Dockerfile: its path as far as it was given. */
function shownDockerfile(path: string, file: string): string | undefined {
  if (file !== "") return file === "-" ? undefined : file;
  return path === "-" || isRemoteUrl(path) ? undefined : join(path, "Dockerfile");
}

function progressOf(flags: BuildInvocation["flags"], context: CommandContext): Progress {
  return createProgress(progressMode(flags, context), context.streams.stderr, {
    size: () => context.streams.terminalSize(),
    environment: context.environment,
    isDebug: context.debug,
    description: "berth",
  });
}

function progressMode(flags: BuildInvocation["flags"], context: CommandContext): string {
  if (flags.quiet) return "quiet";
  return flags.progress === "auto" ? context.environment["BUILDKIT_PROGRESS"] || "auto" : flags.progress;
}
