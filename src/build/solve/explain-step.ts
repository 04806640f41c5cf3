import type { BuildStep, FromInputs } from "#spec/build-record.ts";
import type { Digest } from "#spec/digest.ts";
import { type BuildMemory, parseStepName } from "./build-memory.ts";
import { manifestChanges } from "./file-manifest.ts";

/** A step that misses, and what is known of the build around it. */
export interface MissedStep {
  readonly name: string;
  readonly kind: BuildStep["kind"];
  /** JSON of its key's inputs; undefined in a plan when what it reads is not there yet. */
  readonly inputs: string | undefined;
  readonly sources: readonly string[];
  /** Names of the ARGs that the step sees: the rest of its environment is ENV's. */
  readonly args: ReadonlySet<string>;
  /** Names of all steps of this build: a former step of the same text is its own counterpart, not another's. */
  readonly steps: readonly string[];
  /** The last step below it that ran. */
  readonly ran: string | undefined;
  /** `--no-cache`. */
  readonly noCache: boolean;
  readonly isPlan: boolean;
}

/**
 * Why a step runs although a former build had it, by comparing what went into its key now and then. Empty when no former build is known.
 * The texts are for people; the most telling comes first.
 */
export function explainStep(
  step: MissedStep,
  memory: BuildMemory,
  from: (FromInputs & { readonly name: string }) | undefined,
): string[] {
  if (step.noCache) return ["--no-cache"];
  const builds = memory.former();
  if (builds.length === 0) return [];
  for (const steps of builds) {
    const former = counterpart(step, steps);
    if (former) return differences(step, former, memory, baseMoved(from, steps));
  }
  const { stage, text } = parseStepName(step.name);
  const isSame = ({ name }: BuildStep): boolean =>
    parseStepName(name).stage === stage && parseStepName(name).text === text;
  const unfinished = builds.map((steps) => steps.find(isSame)).find((former) => former !== undefined);
  return [
    unfinished ? `it ${unfinished.outcome === "failed" ? "failed" : "was canceled"} in the former build` : "a new step",
  ];
}

/** The step of a former build that this one was: the same text in the same stage, or the same kind at its place. */
function counterpart(step: MissedStep, former: readonly BuildStep[]): BuildStep | undefined {
  const { stage, label, text } = parseStepName(step.name);
  const done = former.filter(({ kind, outcome, name }) => {
    return kind === step.kind && (outcome === "cached" || outcome === "ran") && parseStepName(name).stage === stage;
  });
  const same = done.find(({ name }) => parseStepName(name).text === text);
  if (same) return same;
  const current = new Set(step.steps.map((name) => parseStepName(name).text));
  const free = done.filter(({ name }) => !current.has(parseStepName(name).text));
  return free.find(({ name }) => placeOf(parseStepName(name).label) === placeOf(label)) ?? free[0];
}

/** `2` of `build 2/5`: how many steps there are is no part of a step's place. */
function placeOf(label: string): string {
  return /(\d+)\/\d+$/.exec(label)?.[1] ?? "";
}

function baseMoved(
  now: (FromInputs & { readonly name: string }) | undefined,
  former: readonly BuildStep[],
): string | undefined {
  if (!now) return undefined;
  const { stage } = parseStepName(now.name);
  const before = former.find(({ kind, name }) => kind === "from" && parseStepName(name).stage === stage);
  if (!before) return undefined;
  const then = JSON.parse(before.inputs) as FromInputs;
  if (then.reference !== now.reference) return `base image ${then.reference} → ${now.reference}`;
  return then.digest === now.digest ? undefined : `base image moved: ${short(then.digest)} → ${short(now.digest)}`;
}

interface Inputs {
  readonly operation: Readonly<Record<string, unknown>>;
  readonly inputs: { readonly root?: Digest; readonly content?: readonly Digest[] };
}

function differences(step: MissedStep, former: BuildStep, memory: BuildMemory, moved: string | undefined): string[] {
  const before = JSON.parse(former.inputs) as Inputs;
  const earlier = `an earlier step (${step.ran}) ${step.isPlan ? "would run" : "ran"}`;
  if (step.inputs === undefined) return [earlier];
  const now = JSON.parse(step.inputs) as Inputs;
  const reasons = [
    ...operationChanges(before.operation, now.operation, step),
    ...contentChanges(before, now, step, memory),
  ];
  if (before.inputs.root !== now.inputs.root) {
    if (step.ran !== undefined) reasons.push(earlier);
    else reasons.push(moved ?? "the steps below it are not those of the former build");
  }
  if (reasons.length > 0) return reasons;
  return ["its cache record is gone (pruned, or its layer was lost)"];
}

function operationChanges(before: Inputs["operation"], now: Inputs["operation"], step: MissedStep): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].flatMap((name) => {
    const [then, value] = [before[name], now[name]];
    if (JSON.stringify(then) === JSON.stringify(value)) return [];
    if (name === "env") return environmentChanges(words(then), words(value), step.args);
    const label = LABELS[name] ?? name;
    return [`${label} ${shown(then)} → ${shown(value)}`];
  });
}

/** What the parts of a key are called in a Dockerfile. */
const LABELS: Readonly<Record<string, string>> = {
  args: "command",
  cwd: "WORKDIR",
  user: "USER",
  path: "WORKDIR",
  names: "sources",
  chown: "--chown",
  chmod: "--chmod",
  exclude: "--exclude",
  network: "--network",
  hosts: "--add-host",
  script: "heredoc",
  inline: "heredoc",
  timestamp: "SOURCE_DATE_EPOCH",
  mounts: "--mount",
  security: "--security",
  devices: "--device",
};

function environmentChanges(before: readonly string[], now: readonly string[], args: ReadonlySet<string>): string[] {
  const old = new Map(before.map(splitVariable));
  const current = new Map(now.map(splitVariable));
  const kind = (name: string): string => (args.has(name) ? "ARG" : "ENV");
  const changes: string[] = [];
  for (const [name, value] of current) {
    const former = old.get(name);
    if (former === undefined) changes.push(`${kind(name)} ${name} added`);
    else if (former !== value) changes.push(`${kind(name)} ${name} ${shown(former)} → ${shown(value)}`);
  }
  for (const name of old.keys()) if (!current.has(name)) changes.push(`${kind(name)} ${name} removed`);
  return changes.length > 0 ? changes : ["order of ENV changed"];
}

function contentChanges(before: Inputs, now: Inputs, step: MissedStep, memory: BuildMemory): string[] {
  const then = before.inputs.content ?? [];
  return (now.inputs.content ?? []).flatMap((content, index) => {
    const former = then[index];
    if (former === content) return [];
    const source = step.sources[index] ?? "";
    const [old, current] = [former && memory.manifest(former), memory.manifest(content)];
    const named = old === undefined || current === undefined ? [] : manifestChanges(old, current, source);
    return named.length > 0 ? named : [`content of ${source} changed`];
  });
}

/** Values longer than this are cut. */
const MAX_SHOWN = 80;

function shown(value: unknown): string {
  const isWords = Array.isArray(value) && value.every((word) => typeof word === "string");
  const text = isWords ? value.join(" ") : typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  const line = text.replaceAll("\n", "\\n");
  if (line === "") return '""';
  return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line;
}

function words(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function splitVariable(variable: string): [name: string, value: string] {
  const equals = variable.indexOf("=");
  return equals < 0 ? [variable, ""] : [variable.slice(0, equals), variable.slice(equals + 1)];
}

function short(digest: string): string {
  return digest.slice(0, "sha256:".length + 12);
}
