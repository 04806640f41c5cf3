import { InvalidParameterError } from "#errors/errors.ts";
import { locate } from "../build-error.ts";
import { expandInstruction, expandWord } from "../instructions/expand.ts";
import type {
  AddInstruction,
  ArgInstruction,
  CommandLine,
  CopyInstruction,
  KeyValue,
  RunInstruction,
  WorkdirInstruction,
} from "../instructions/types.ts";
import { compileCopy } from "./compile-copy.ts";
import { applyMetadata } from "./compile-metadata.ts";
import { compileRun } from "./compile-run.ts";
import type { FilesOrigin, ListedInstruction, StageBase, StageGraph, StageScope, Step } from "./graph-types.ts";
import { emptyImage, ImageDraft, imageOf } from "./image-draft.ts";
import { joinWorkdir } from "./image-path.ts";
import type { CompileOptions, StageContext } from "./stage-context.ts";
import type { PlannedInstruction, PlannedOrigin, PlannedStage } from "./stage-plan.ts";
import { type StageSettings, settledCopy, settledRun } from "./stage-settings.ts";
import { type StepNamer, stepText } from "./step-name.ts";
import { splitVariable, VariableList } from "./variables.ts";

/** Applies the instructions of `stage` to its base, one after the other. Throws LocatedError with the instruction's lines. */
export function compileStage(
  stage: PlannedStage,
  base: StageBase,
  namer: StepNamer,
  options: CompileOptions,
): StageGraph {
  const compiler = new StageCompiler(stage, base, namer, options);
  if (base.kind === "files") compiler.takeAll(base);
  for (const planned of stage.instructions) compiler.apply(planned);
  return compiler.finish();
}

class StageCompiler implements StageContext {
  readonly #stage: PlannedStage;
  readonly options: CompileOptions;
  readonly image: ImageDraft;
  readonly namer: StepNamer;
  readonly #base: StageBase;
  readonly #steps: Step[] = [];
  readonly #listing: ListedInstruction[] = [];
  #variables: VariableList;
  #buildArgs: readonly string[];

  constructor(stage: PlannedStage, base: StageBase, namer: StepNamer, options: CompileOptions) {
    this.#stage = stage;
    this.options = options;
    this.namer = namer;
    this.#base = base;
    if (stage.text !== "") this.#listing.push({ text: stage.text });
    this.image = new ImageDraft(baseImage(stage, base), options.epoch);
    const inherited = base.kind === "stage" ? base.stage.scope : undefined;
    this.#variables = inherited?.variables ?? new VariableList();
    for (const variable of this.image.env) this.#variables = this.#variables.with(...splitVariable(variable));
    this.#buildArgs = inherited?.buildArgs ?? [];
    if (this.image.workingDir !== "") this.image.setWorkingDir(joinWorkdir("/", this.image.workingDir));
  }

  get #settings(): StageSettings | undefined {
    return this.options.settings.get(this.#stage.name);
  }

  get variables(): VariableList {
    return this.#variables;
  }

  get buildArgs(): readonly string[] {
    return this.#buildArgs;
  }

  wrap(command: CommandLine): readonly string[] {
    return command.form === "exec" ? command.args : [...this.image.shell, command.line];
  }

  /** A base that is a context of files: their copy is the first layer. */
  takeAll({ name, stepName, source }: Extract<StageBase, { readonly kind: "files" }>): void {
    const nothing = { inlineFiles: [], chown: "", chmod: "", exclude: [], unpack: { local: false, remote: false } };
    const sources = [{ kind: "path", path: "/" }] as const;
    const step = { ...nothing, sources, from: { kind: "files", name }, destination: "/", link: false } as const;
    this.#steps.push({ ...step, kind: "copy", name: stepName, source });
    this.image.commit(`FROM ${name}`, true);
  }

  /** Adds a step and the history entry of its layer. */
  addStep(step: Step, createdBy: string): void {
    this.#steps.push(step);
    this.image.commit(createdBy, true);
  }

  finish(): StageGraph {
    const scope: StageScope = { variables: this.#variables, buildArgs: this.#buildArgs };
    const { index } = this.#stage;
    const [steps, listing] = [this.#steps, this.#listing];
    return { index, base: this.#base, steps, image: this.image.finish(), scope, listing };
  }

  apply(planned: PlannedInstruction): void {
    const before = this.#steps.length;
    try {
      this.#dispatch(planned);
      const step = this.#steps[before];
      this.#listing.push({ text: planned.instruction.text, ...(step ? { step } : {}) });
    } catch (error) {
      throw locate(error, { source: planned.instruction.source });
    }
  }

  #dispatch({ instruction: written, from, isTrigger }: PlannedInstruction): void {
    // ARG expands its own values: a default is not looked at when --build-arg gives a value.
    const instruction =
      written.kind === "arg" ? written : expandInstruction(written, this.#variables, this.options.escape);
    switch (instruction.kind) {
      case "run":
        this.#run(instruction, from, isTrigger);
        break;
      case "copy":
      case "add":
        this.#copy(instruction, from[0], isTrigger);
        break;
      case "workdir":
        this.#workdir(instruction, isTrigger);
        break;
      case "arg":
        this.#arg(instruction);
        break;
      case "env":
        this.#env(instruction.pairs);
        break;
      default:
        applyMetadata(instruction, this);
    }
  }

  #run(instruction: RunInstruction, from: PlannedInstruction["from"], isTrigger: boolean): void {
    const origins = from.map((origin, index) => origin && this.#origin(origin, instruction.mounts[index]?.from ?? ""));
    const { step, createdBy } = compileRun(instruction, origins, this, isTrigger);
    this.addStep(this.#settings ? settledRun(step, this.#settings) : step, createdBy);
  }

  #copy(instruction: CopyInstruction | AddInstruction, from: PlannedOrigin | undefined, isTrigger: boolean): void {
    const name = instruction.kind === "copy" ? instruction.from : "";
    const origin: FilesOrigin = from ? this.#origin(from, name) : { kind: "files", name: "" };
    const { step, createdBy } = compileCopy(instruction, origin, this, isTrigger);
    this.addStep(this.#settings ? settledCopy(step, this.#settings) : step, createdBy);
  }

  #origin(planned: PlannedOrigin, name: string): FilesOrigin {
    if (planned.kind === "files") return planned;
    const stage = this.options.stageGraph(planned.stage);
    if (stage) return { kind: "stage", stage };
    throw new InvalidParameterError(
      `cannot copy from stage ${JSON.stringify(name)}, it needs to be defined before current stage ${JSON.stringify(this.#stage.displayName)}`,
    );
  }

  /** A directory and a layer of its own, unless it is the root. */
  #workdir(instruction: WorkdirInstruction, isTrigger: boolean): void {
    const path = joinWorkdir(this.image.workingDir, instruction.path);
    this.image.setWorkingDir(path);
    if (path === "/") {
      this.image.commit("WORKDIR /");
      return;
    }
    const text = stepText(instruction.text, this.#variables, { escape: this.options.escape });
    const name = this.namer.next(text, { isTrigger, variables: this.#variables });
    this.addStep(
      { kind: "workdir", name, source: instruction.source, path, user: this.image.user, ...mtimeOf(this.options) },
      `WORKDIR ${path}`,
    );
  }

  #env(pairs: readonly KeyValue[]): void {
    for (const { key, value } of pairs) {
      this.#variables = this.#variables.with(key, value);
      this.image.setEnv(key, value);
    }
    this.image.commit(["ENV", ...pairs.map(({ key, value }) => `${key}=${value}`)].join(" "));
  }

  /** --build-arg beats the default; a name alone takes the global scope's value. */
  #arg(instruction: ArgInstruction): void {
    const shown: string[] = [];
    for (const { key, value } of instruction.args) {
      const resolved =
        this.options.buildArgs[key] ??
        (value === undefined
          ? this.options.globalScope.get(key)
          : expandWord(value, this.#variables, this.options.escape));
      if (resolved !== undefined) this.#variables = this.#variables.with(key, resolved);
      this.#buildArgs = [...this.#buildArgs, key];
      shown.push(resolved === undefined ? key : `${key}=${resolved}`);
    }
    this.image.commit(`ARG ${shown.join(" ")}`);
  }
}

function mtimeOf({ epoch }: CompileOptions): { readonly mtime?: number } {
  return epoch === undefined ? {} : { mtime: epoch };
}

function baseImage(stage: PlannedStage, base: StageBase): ReturnType<typeof imageOf> {
  switch (base.kind) {
    case "files":
    case "scratch":
      return emptyImage(stage.platform);
    case "image":
      return imageOf(base.image.config);
    case "stage":
      return base.stage.image;
  }
}
