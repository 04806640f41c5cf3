import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { BuildContext, BuildRequest } from "#client/build.ts";
import type { BuildSession } from "#client/build-session/open-session.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { parseReference } from "#formats/reference.ts";
import type { TwiceReport } from "#spec/build-twice.ts";
import { attestations, checkAttest } from "../../build/attestations.ts";
import { withBuildContext } from "../../build/build-context.ts";
import { builderFlag } from "../../build/builder-flag.ts";
import { buildMetadata, builtId, followBuild, outcomeOf } from "../../build/follow-build.ts";
import type { ParsedOutputs } from "../../build/outputs.ts";
import { isRemoteUrl } from "../../build/remote-url.ts";
import { failureText } from "../../build-progress/failure-text.ts";
import { createProgress, type Progress } from "../../build-progress/progress.ts";
import { proxyVariables } from "../../config/proxy-environment.ts";
import { registryConfigHeader } from "../../config/registry-auth.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand, type Invocation } from "../../grammar/command.ts";
import { booleanFlag, integerFlag, listFlag, stringFlag } from "../../grammar/flag.ts";
import { checkExtraHost, checkUlimit, parseUlimit } from "../../run/checks.ts";
import { keyValueMap } from "../../run/key-value-file.ts";
import { bytesFlag, memorySwapFlag } from "../../run/size-flags.ts";
import type { Output } from "../../streams.ts";

/** Flags of docker's builders that change nothing here: what they ask for is always so. */
const ACCEPTED = {
  compress: booleanFlag("Compress the build context using gzip", { hidden: true }),
  "force-rm": booleanFlag("Always remove intermediate containers", { hidden: true }),
  rm: booleanFlag("Remove intermediate containers after a successful build", { hidden: true, initial: true }),
};

const FLAGS = {
  ...ACCEPTED,
  advise: booleanFlag(
    "Say how recorded builds could have been shorter and smaller, with a diff of the Dockerfile; run nothing",
  ),
  "add-host": listFlag('Add a custom host-to-IP mapping ("host:ip")', { check: checkExtraHost }),
  annotation: listFlag("Add annotation to the image", { type: "stringArray" }),
  allow: listFlag('Allow extra privileged entitlement (e.g., "network.host", "security.insecure")'),
  "build-arg": listFlag("Set build-time variables"),
  "build-context": listFlag("Additional build contexts (e.g., name=path)"),
  "cache-from": listFlag('External cache sources (e.g., "user/app:cache", "type=local,src=path/to/dir")', {
    type: "stringArray",
  }),
  "cache-to": listFlag('Cache export destinations (e.g., "user/app:cache", "type=local,dest=path/to/dir")', {
    type: "stringArray",
  }),
  ...builderFlag,
  "cgroup-parent": stringFlag("Set the parent cgroup for the RUN instructions during build"),
  "cpu-period": integerFlag("Limit the CPU CFS (Completely Fair Scheduler) period"),
  "cpu-quota": integerFlag("Limit the CPU CFS (Completely Fair Scheduler) quota"),
  "cpu-shares": integerFlag("CPU shares (relative weight)", { short: "c" }),
  "cpuset-cpus": stringFlag("CPUs in which to allow execution (0-3, 0,1)"),
  "cpuset-mems": stringFlag("MEMs in which to allow execution (0-3, 0,1)"),
  memory: bytesFlag("Memory limit", { short: "m" }),
  "memory-swap": memorySwapFlag('Swap limit equal to memory plus swap: "-1" to enable unlimited swap'),
  ulimit: listFlag("Ulimit options", { type: "ulimit", check: checkUlimit }),
  attest: listFlag('Attestation parameters (format: "type=sbom,generator=image")', {
    type: "stringArray",
    check: checkAttest,
  }),
  provenance: stringFlag('Shorthand for "--attest=type=provenance"'),
  sbom: stringFlag('Shorthand for "--attest=type=sbom"'),
  call: stringFlag('Set method for evaluating build ("check", "outline", "targets")', { initial: "build" }),
  check: booleanFlag('Shorthand for "--call=check"'),
  explain: booleanFlag("Print all that went into the cache key of each step"),
  file: stringFlag('Name of the Dockerfile (Default is "PATH/Dockerfile")', { short: "f" }),
  format: stringFlag('Format of --plan and --advise: text, or "json"'),
  iidfile: stringFlag("Write the image ID to the file"),
  label: listFlag("Set metadata for an image"),
  load: booleanFlag('Shorthand for "--output=type=docker"'),
  "metadata-file": stringFlag("Write build result metadata to a file"),
  network: stringFlag("Set the networking mode for the RUN instructions during build", { initial: "default" }),
  "no-cache": booleanFlag("Do not use cache when building the image"),
  output: listFlag('Output destination (format: "type=local,dest=path")', { short: "o", type: "stringArray" }),
  "no-cache-filter": listFlag("Do not cache specified stages"),
  plan: booleanFlag(
    "Say which steps are cached and which would run, and why; run nothing (exit code 0: all cached, 2: not all)",
  ),
  platform: stringFlag("Set platform if server is multi-platform capable"),
  progress: stringFlag('Set type of progress output ("auto", "plain", "tty", "quiet", "rawjson")', { initial: "auto" }),
  push: booleanFlag('Shorthand for "--output=type=registry"'),
  pull: booleanFlag("Always attempt to pull a newer version of the image"),
  quiet: booleanFlag("Suppress the build output and print image ID on success", { short: "q" }),
  secret: listFlag('Secret to expose to the build (format: "id=mysecret[,src=/local/secret]")', {
    type: "stringArray",
  }),
  "shm-size": bytesFlag('Size of "/dev/shm"'),
  squash: booleanFlag("Squash newly built layers into a single new layer"),
  ssh: listFlag('SSH agent socket or keys to expose to the build (format: "default|<id>[=<socket>]")', {
    type: "stringArray",
  }),
  tag: listFlag('Name and optionally a tag in the "name:tag" format', { short: "t", check: checkTag }),
  twice: booleanFlag(
    "Build again without cache and say whether it gives the same (exit code 0), or the first file that differs (2)",
  ),
  target: stringFlag("Set the target build stage to build."),
};

/** Exit code of `--twice` when the second build gave something else: 1 is for builds that fail. */
const DIFFERS = 2;

export const command: Command = defineCommand({
  usage: "[OPTIONS] PATH | URL | -",
  about: "Build an image from a Dockerfile",
  spellings: ["image build", "build", "builder build"],
  arguments: exactly(1),
  flags: FLAGS,
  async run(invocation, context) {
    const { flags } = invocation;
    if (flags.plan || flags.advise) return await answer(invocation, context);
    if (flags.check || !["", "build"].includes(flags.call)) return await call(invocation, context);
    if (flags.format !== "") throw new InvalidParameterError("--format is for --plan and --advise");
    const { stdout, stderr } = context.streams;
    const progress = progressOf(flags, context);
    const source = { path: invocation.args[0] ?? "", dockerfile: flags.file };
    const outputs = await outputsOf(flags, context);
    using session = await openSession(flags, context);
    const outcome = await withBuildContext(source, context, async (build) => {
      const request = await requestOf(build, invocation, context);
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
    if (flags.iidfile) await writeFile(flags.iidfile, builtId(outcome));
    if (flags["metadata-file"]) await writeFile(flags["metadata-file"], buildMetadata(outcome, flags.tag));
    const isStdoutTaken = outputs.targets.some((target) => target?.kind === "stdout");
    if (flags.quiet && !isStdoutTaken) await stdout.write(`${builtId(outcome)}\n`);
    return outcome.twice ? await showTwice(outcome.twice, isStdoutTaken ? stderr : stdout) : 0;
  },
});

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
  { output, push, load, annotation }: Invocation<typeof FLAGS>["flags"],
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
  { secret, ssh }: Invocation<typeof FLAGS>["flags"],
  context: CommandContext,
): Promise<BuildSession | undefined> {
  if (secret.length === 0 && ssh.length === 0) return undefined;
  const { buildServices } = await import("../../build/build-services.ts");
  const services = await buildServices(secret, ssh, context);
  const { openBuildSession } = await import("#client/build-session/open-session.ts");
  return await openBuildSession(context.engine, services);
}

/** A directory of the user's is one of the machine's: the engine does not know where the user stands. */
function absoluteCache(text: string, field: string, { workingDirectory }: CommandContext): string {
  return text
    .split(",")
    .map((part) =>
      part.startsWith(`${field}=`) ? `${field}=${resolve(workingDirectory, part.slice(field.length + 1))}` : part,
    )
    .join(",");
}

async function requestOf(
  build: BuildContext,
  { flags, args }: Invocation<typeof FLAGS>,
  context: CommandContext,
): Promise<BuildRequest> {
  return {
    context: build,
    outputs: [],
    attestations: attestations(flags),
    contexts: await namedContexts(flags["build-context"], context),
    allow: flags.allow,
    source:
      build.kind === "remote" || args[0] === "-" ? (args[0] ?? "") : resolve(context.workingDirectory, args[0] ?? ""),
    tags: flags.tag,
    buildArgs: withProxies(buildArguments(flags["build-arg"], context.environment), context),
    labels: keyValueMap(flags.label),
    target: flags.target,
    noCache: flags["no-cache"],
    squash: flags.squash,
    noCacheFilter: flags["no-cache-filter"].flatMap((names) => names.split(",")),
    twice: flags.twice,
    cacheFrom: flags["cache-from"].map((text) => absoluteCache(text, "src", context)),
    cacheTo: flags["cache-to"].map((text) => absoluteCache(text, "dest", context)),
    pull: flags.pull,
    networkMode: flags.network,
    platform: flags.platform || context.environment["DOCKER_DEFAULT_PLATFORM"] || "",
    extraHosts: flags["add-host"],
    limits: {
      memory: flags.memory,
      memswap: flags["memory-swap"],
      cpushares: flags["cpu-shares"],
      cpuperiod: flags["cpu-period"],
      cpuquota: flags["cpu-quota"],
      cpusetcpus: flags["cpuset-cpus"],
      cpusetmems: flags["cpuset-mems"],
      shmsize: flags["shm-size"],
      ulimits: flags.ulimit.length === 0 ? "" : JSON.stringify(flags.ulimit.map(parseUlimit)),
      cgroupparent: flags["cgroup-parent"],
    },
    registryConfig: await registryConfigHeader(context),
    signal: context.signal,
  };
}

/** Nothing is built that could go anywhere. Throws InvalidParameterError for the first flag that wants it to. */
function refuseResults(flags: Invocation<typeof FLAGS>["flags"]): void {
  const given = (
    ["output", "annotation", "push", "load", "iidfile", "metadata-file", "twice", "explain"] as const
  ).find((name) => (Array.isArray(flags[name]) ? flags[name].length > 0 : Boolean(flags[name])));
  if (given)
    throw new InvalidParameterError(`--plan and --advise build nothing: they cannot be combined with --${given}`);
}

/** `--plan` and `--advise`: something about the build instead of the build. */
async function answer(invocation: Invocation<typeof FLAGS>, context: CommandContext): Promise<number> {
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
    show(await requestOf(build, invocation, context), { isJson: flags.format === "json" }, context),
  );
  if (typeof result === "number") return result;
  const outcome = outcomeOf(result);
  await context.streams.stderr.write(outcome?.failure ? failureText(outcome.failure) : "");
  return 1;
}

/** `--check` and `--call`: what the Dockerfile says of itself, on stdout. Outputs are read and, as by docker, not made. */
async function call(invocation: Invocation<typeof FLAGS>, context: CommandContext): Promise<number> {
  const { flags, args } = invocation;
  const { runCall } = await import("../../build/frontend-call.ts");
  await outputsOf(flags, context);
  const source = { path: args[0] ?? "", dockerfile: flags.file };
  const progress = progressOf(flags, context);
  return await withBuildContext(source, context, async (build) =>
    runCall(await requestOf(build, invocation, context), {
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

async function namedContexts(values: readonly string[], context: CommandContext): Promise<BuildRequest["contexts"]> {
  if (values.length === 0) return {};
  const { sendNamedContexts } = await import("../../build/named-contexts.ts");
  return await sendNamedContexts(values, context);
}

function progressOf(flags: Invocation<typeof FLAGS>["flags"], context: CommandContext): Progress {
  return createProgress(progressMode(flags, context), context.streams.stderr, {
    size: () => context.streams.terminalSize(),
    environment: context.environment,
    isDebug: context.debug,
    description: "berth",
  });
}

function progressMode(flags: Invocation<typeof FLAGS>["flags"], context: CommandContext): string {
  if (flags.quiet) return "quiet";
  return flags.progress === "auto" ? context.environment["BUILDKIT_PROGRESS"] || "auto" : flags.progress;
}

/** `NAME=VALUE`, or `NAME` for the client's own value; without one the ARG keeps its default. */
function buildArguments(
  values: readonly string[],
  environment: CommandContext["environment"],
): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    values.map((value) => {
      const equals = value.indexOf("=");
      return equals < 0 ? [value, environment[value] ?? null] : [value.slice(0, equals), value.slice(equals + 1)];
    }),
  );
}

/** The proxies of `config.json` are arguments of every build that does not set them itself. */
function withProxies(
  given: Readonly<Record<string, string | null>>,
  context: CommandContext,
): Readonly<Record<string, string | null>> {
  const names = new Set(Object.keys(given));
  const proxies = proxyVariables(context.configDirectory, context.engine.endpoint, names);
  return { ...Object.fromEntries(proxies.map((variable) => variable.split(/=(.*)/s, 2))), ...given };
}

/** A name that cannot be given should fail before the build and not after it. */
function checkTag(value: string): string {
  if (parseReference(value).digest) throw new InvalidParameterError("build tag cannot contain a digest");
  return value;
}
