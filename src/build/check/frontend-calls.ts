import { posix } from "node:path";
import { InvalidParameterError } from "#errors/errors.ts";
import type {
  BuildOutline,
  BuildTarget,
  CheckResult,
  OutlineArg,
  OutlineMount,
  SourceLocation,
  TargetList,
} from "#spec/build-check.ts";
import { globalVariables } from "../graph/global-scope.ts";
import type { PlannedStage } from "../graph/stage-plan.ts";
import { VariableList } from "../graph/variables.ts";
import { expandWord } from "../instructions/expand.ts";
import { parseMounts } from "../instructions/mounts.ts";
import type { ArgInstruction, Dockerfile } from "../instructions/types.ts";
import type { SourceRange } from "../parse/source.ts";
import { commentsBefore } from "./check-file.ts";
import type { CheckFinding } from "./check-findings.ts";
import { CHECK_RULES } from "./rules.ts";

/** The Dockerfile as it came, under the name that messages give it. */
export interface CalledFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export function checkResult(
  file: CalledFile,
  findings: readonly CheckFinding[],
  failure?: { readonly message: string; readonly source?: SourceRange | undefined },
): CheckResult {
  return {
    warnings: findings.map(({ rule, message, source }) => {
      const { description, url } = CHECK_RULES[rule];
      return { ruleName: rule, description, ...(url ? { url } : {}), detail: message, location: locationOf(source) };
    }),
    sources: [{ filename: file.name, language: "Dockerfile", data: base64(file.bytes) }],
    ...(failure
      ? {
          buildError: {
            message: failure.message,
            ...(failure.source ? { location: locationOf(failure.source) } : {}),
          },
        }
      : {}),
  };
}

/** The stages that can be built, with what the comment above each says. */
export function listTargets(file: CalledFile, { stages, lines }: Dockerfile): TargetList {
  const last = stages.length - 1;
  return {
    targets: stages.map(({ name, base, platform, source, index }): BuildTarget => {
      const description = descriptionOf(lines, source, name);
      return {
        ...(name ? { name } : {}),
        ...(index === last ? { default: true } : {}),
        ...(description ? { description } : {}),
        ...(base ? { base } : {}),
        ...(platform ? { platform } : {}),
        location: locationOf(source),
      };
    }),
    sources: [base64(file.bytes)],
  };
}

/**
 * What a build of `stages` takes: arguments with their values, secrets, ssh agents, caches. `stages` are the target's and those that it
 * needs, `target` is its name.
 */
export function outline(
  file: CalledFile,
  dockerfile: Dockerfile,
  options: {
    readonly stages: readonly PlannedStage[];
    readonly target: PlannedStage | undefined;
    readonly buildArgs: Readonly<Record<string, string>>;
  },
): BuildOutline {
  const { stages, target, buildArgs } = options;
  const used = stages.flatMap(({ index }) => dockerfile.stages[index] ?? []);
  const mounts = mountsOf(dockerfile, used);
  const description = target ? descriptionOf(dockerfile.lines, target.source, target.name) : "";
  return {
    ...(target?.name ? { name: target.name } : {}),
    ...(description ? { description } : {}),
    args: byLine(outlineArgs(dockerfile, used, buildArgs)),
    ...mounts,
    sources: [base64(file.bytes)],
  };
}

function outlineArgs(
  dockerfile: Dockerfile,
  stages: Dockerfile["stages"],
  buildArgs: Readonly<Record<string, string>>,
): readonly OutlineArg[] {
  const scope = globalVariables(dockerfile, buildArgs, []);
  const globals = dockerfile.globalArgs.flatMap((arg) => argsOf(dockerfile, arg, (key) => scope.get(key)));
  const inFrom = stages.map(({ base, platform }) => `${base} ${platform}`).join(" ");
  const own = stages.flatMap((stage) =>
    stage.instructions.flatMap((instruction) =>
      instruction.kind === "arg" ? stageArgs(dockerfile, instruction, scope, buildArgs) : [],
    ),
  );
  const redeclared = new Set(own.map(({ name }) => name));
  // A global one counts where FROM reads it, or where a stage declares it again without a value.
  const read = (name: string): boolean => new RegExp(`\\$\\{?${name.replaceAll(/\W/g, "\\$&")}\\b`).test(inFrom);
  const needed = globals.filter(({ name }) => redeclared.has(name) || read(name));
  const known = new Set(needed.map(({ name }) => name));
  return [
    ...needed,
    ...own.filter(({ name }, index) => !known.has(name) && own.findIndex((arg) => arg.name === name) === index),
  ];
}

function stageArgs(
  dockerfile: Dockerfile,
  arg: ArgInstruction,
  scope: VariableList,
  buildArgs: Readonly<Record<string, string>>,
): readonly OutlineArg[] {
  const value = (key: string, given: string | undefined): string | undefined => {
    if (buildArgs[key] !== undefined) return buildArgs[key];
    return given === undefined ? scope.get(key) : expanded(given, scope, dockerfile);
  };
  return argsOf(dockerfile, arg, value);
}

function argsOf(
  { lines }: Dockerfile,
  { args, source }: ArgInstruction,
  resolve: (key: string, given: string | undefined) => string | undefined,
): readonly OutlineArg[] {
  return args.map(({ key, value: given }) => {
    const value = resolve(key, given);
    const description = descriptionOf(lines, source, key);
    return {
      name: key,
      ...(description ? { description } : {}),
      ...(value === undefined ? {} : { value }),
      location: locationOf(source),
    };
  });
}

function expanded(word: string, scope: VariableList, { escape: escaper }: Dockerfile): string {
  try {
    return expandWord(word, scope, escaper);
  } catch {
    return word;
  }
}

function mountsOf(
  { escape: escaper }: Dockerfile,
  stages: Dockerfile["stages"],
): Pick<BuildOutline, "secrets" | "ssh" | "cache"> {
  const secrets = new Map<string, OutlineMount>();
  const ssh = new Map<string, OutlineMount>();
  const cache = new Map<string, { readonly ID: string; readonly location: SourceLocation }>();
  for (const instruction of stages.flatMap((stage) => stage.instructions)) {
    if (instruction.kind !== "run") continue;
    const location = locationOf(instruction.source);
    for (const mount of parseMounts(instruction, new VariableList(), escaper)) {
      if (mount.type === "cache") cache.set(mount.id || mount.target, { ID: mount.id || mount.target, location });
      if (mount.type !== "secret" && mount.type !== "ssh") continue;
      const known = mount.type === "secret" ? secrets : ssh;
      const id = mount.id || (mount.type === "ssh" ? "default" : posix.basename(mount.target));
      const required = mount.required || known.get(id)?.required;
      known.set(id, { name: id, ...(required ? { required } : {}), location });
    }
  }
  return {
    ...(secrets.size > 0 ? { secrets: byLine([...secrets.values()]) } : {}),
    ...(ssh.size > 0 ? { ssh: byLine([...ssh.values()]) } : {}),
    ...(cache.size > 0 ? { cache: byLine([...cache.values()]) } : {}),
  };
}

/** `# NAME what it is`, above the instruction. */
function descriptionOf(lines: readonly string[], source: SourceRange, name: string): string {
  const own = commentsBefore(lines, source).find((comment) => comment.startsWith(`${name} `));
  return name === "" || own === undefined ? "" : own.slice(name.length + 1);
}

function byLine<T extends { readonly location: SourceLocation }>(list: readonly T[]): readonly T[] {
  const line = ({ location }: T): number => location.ranges[0]?.start.line ?? 0;
  return list.toSorted((left, right) => line(left) - line(right));
}

function locationOf({ startLine, endLine }: SourceRange): SourceLocation {
  return { ranges: [{ start: { line: startLine }, end: { line: endLine } }] };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

export type FrontendCall = "lint" | "outline" | "targets";

/** `check` is buildx's name of what the frontend calls `lint`. Throws InvalidParameterError. */
export function parseFrontendCall(name: string): FrontendCall {
  if (name === "check" || name === "lint") return "lint";
  if (name === "outline" || name === "targets") return name;
  throw new InvalidParameterError(
    `invalid call ${JSON.stringify(name)}: a Dockerfile answers check, outline and targets`,
  );
}
