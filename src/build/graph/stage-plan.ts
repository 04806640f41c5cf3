import { InvalidParameterError } from "#errors/errors.ts";
import { parsePlatform } from "#formats/platform.ts";
import { formatReference, parseReference, tagNameOnly } from "#formats/reference.ts";
import { suggestion } from "#lib/closest-word.ts";
import type { Platform } from "#spec/oci-image.ts";
import { locate } from "../build-error.ts";
import { expandWord } from "../instructions/expand.ts";
import { parseTrigger } from "../instructions/parse-dockerfile.ts";
import type { Dockerfile, Instruction } from "../instructions/types.ts";
import type { EscapeCharacter, SourceRange } from "../parse/source.ts";
import type { ContextNames, FilesContext, LayoutContext } from "./context-names.ts";
import { stageName } from "./scan-targets.ts";
import type { VariableList } from "./variables.ts";

/** A stage before its base is known: what it stands on and which stages it reads. Grows while ONBUILD triggers are found. */
export interface PlannedStage {
  readonly index: number;
  /** Lower-cased name, "" if it has none. */
  readonly name: string;
  /** Shown in step names: the name, `stage-N`, or "" when it is the only stage. */
  readonly displayName: string;
  readonly source: SourceRange;
  /** The `FROM` line as written, "" for an image that is only copied from. */
  readonly text: string;
  /** The earlier stage it stands on; undefined for an image or scratch. */
  readonly base: PlannedStage | undefined;
  /** Canonical reference, or "" for scratch, for a stage on a stage and for one on a context of files. */
  readonly reference: string;
  /** The named context that it stands on, if that is no image of a registry. */
  readonly context: FilesContext | LayoutContext | undefined;
  /** As the user wrote it, for error texts. */
  readonly baseName: string;
  readonly platform: Platform;
  readonly instructions: readonly PlannedInstruction[];
  /** N of `[stage i/N]`. */
  readonly stepCount: number;
  /** No stage of the file but an image that `COPY --from` names. */
  readonly isCopiedImage: boolean;
}

export interface PlannedInstruction {
  readonly instruction: Instruction;
  /** What `COPY --from` reads, and each `RUN --mount`; undefined where the instruction names nothing. */
  readonly from: readonly (PlannedOrigin | undefined)[];
  readonly isTrigger: boolean;
}

export type PlannedOrigin = FilesContext | { readonly kind: "stage"; readonly stage: PlannedStage };

export interface StagePlanOptions {
  /** The ARGs before the first FROM. */
  readonly scope: VariableList;
  readonly platform: Platform;
  readonly contexts: ContextNames;
}

const SCRATCH = "scratch";
/** The instructions that count in `[stage i/N]`. */
const COUNTED: ReadonlySet<Instruction["kind"]> = new Set(["run", "copy", "add", "workdir"]);

interface MutableStage extends PlannedStage {
  displayName: string;
  base: PlannedStage | undefined;
  reference: string;
  context: PlannedStage["context"];
  instructions: readonly PlannedInstruction[];
  stepCount: number;
  isCopiedImage: boolean;
}

/** The stages of a Dockerfile and how they hang together. */
export class StagePlan {
  readonly #escape: EscapeCharacter;
  readonly #options: StagePlanOptions;
  readonly #stages: MutableStage[] = [];
  readonly #byName = new Map<string, MutableStage>();

  /** Throws LocatedError for a bad base name or platform, an unknown stage index, and for stages that need one another. */
  constructor(dockerfile: Dockerfile, options: StagePlanOptions) {
    this.#escape = dockerfile.escape;
    this.#options = options;
    for (const stage of dockerfile.stages) {
      const expand = (word: string): string => expandWord(word, options.scope, dockerfile.escape);
      this.#add(
        stage.name,
        stage,
        atPlace(stage.source, () => baseNameOf(stage.base, expand(stage.base))),
        stage.platform === "" ? undefined : atPlace(stage.source, () => platformOf(stage.platform, expand)),
      );
    }
    for (const stage of dockerfile.stages) {
      const planned = this.#stages[stage.index];
      // A context of the stage's own name takes the place of all that it does.
      const isReplaced = stage.name !== "" && this.#options.contexts.find(stage.name, planned?.platform);
      if (planned && !isReplaced) this.#addInstructions(planned, stage.instructions, false);
    }
    if (this.#stages.length === 1 && this.#stages[0]) this.#stages[0].displayName = "";
    this.#rejectCycles();
  }

  get stages(): readonly PlannedStage[] {
    return this.#stages;
  }

  /** The stage to build. Throws InvalidParameterError in BuildKit's words when there is no such one. */
  target(name: string): PlannedStage {
    const fileStages = this.#stages.filter((stage) => !stage.isCopiedImage);
    const last = fileStages[fileStages.length - 1];
    const names = fileStages.map(stageName);
    const found = name === "" ? last : (this.#byName.get(name.toLowerCase()) ?? fileStages[names.indexOf(name)]);
    if (found) return found;
    throw new InvalidParameterError(
      `target stage ${JSON.stringify(name)} could not be found${suggestion(name, names)}`,
    );
  }

  /** `target` and all that it needs, in the order of the plan. */
  reachable(target: PlannedStage): readonly PlannedStage[] {
    const seen = new Set<PlannedStage>();
    const visit = (stage: PlannedStage): void => {
      if (seen.has(stage)) return;
      seen.add(stage);
      for (const needed of dependencies(stage)) visit(needed);
    };
    visit(target);
    return this.#stages.filter((stage) => seen.has(stage));
  }

  /**
   * Puts the ONBUILD triggers of the base before the stage's own instructions. Returns whether they read further stages.
   * https://docs.docker.com/reference/dockerfile/#onbuild
   */
  addTriggers(stage: PlannedStage, triggers: readonly string[]): boolean {
    const planned = this.#stages[stage.index];
    if (!planned || triggers.length === 0) return false;
    const instructions = atPlace(stage.source, () =>
      triggers.map((trigger) => parseTrigger(trigger, this.#escape, stage.source)),
    );
    this.#addInstructions(planned, instructions, true);
    this.#rejectCycles();
    return instructions.some((instruction) => namesRead(instruction).some((name) => name !== ""));
  }

  #add(
    name: string,
    { source, text }: Pick<PlannedStage, "source" | "text">,
    baseName: string,
    platform: Platform | undefined,
  ): MutableStage {
    const index = this.#stages.length;
    const foundBase = this.#byName.get(baseName.toLowerCase());
    const wanted = platform ?? foundBase?.platform ?? this.#options.platform;
    const own = name === "" ? undefined : this.#context(name, wanted, source);
    const context = own ?? (foundBase ? undefined : this.#context(baseName, wanted, source));
    const base = own ? undefined : foundBase;
    const onImage = !base && !context && baseName !== SCRATCH;
    const stage: MutableStage = {
      index,
      name,
      displayName: name === "" ? `stage-${index}` : name,
      source,
      text,
      base,
      baseName,
      reference: onImage ? canonicalReference(baseName, source) : referenceOf(context),
      context: context?.kind === "image" ? undefined : context,
      platform: wanted,
      instructions: [],
      stepCount: onImage || context ? 1 : 0,
      isCopiedImage: false,
    };
    this.#stages.push(stage);
    if (name !== "") this.#byName.set(name, stage);
    return stage;
  }

  #context(name: string, platform: Platform, source: SourceRange): ReturnType<ContextNames["find"]> {
    return atPlace(source, () => this.#options.contexts.find(name, platform));
  }

  #addInstructions(stage: MutableStage, instructions: readonly Instruction[], isTrigger: boolean): void {
    const planned = instructions.map((instruction) => ({
      instruction,
      from: this.#originsOf(instruction, stage),
      isTrigger,
    }));
    stage.instructions = isTrigger ? [...planned, ...stage.instructions] : planned;
    stage.stepCount += instructions.filter((instruction) => COUNTED.has(instruction.kind)).length;
  }

  #originsOf(instruction: Instruction, stage: PlannedStage): readonly (PlannedOrigin | undefined)[] {
    const { source } = instruction;
    return namesRead(instruction).map((name) => {
      if (name === "") return undefined;
      // Only COPY takes an index: `from=0` of a mount is an image of that name.
      if (instruction.kind === "copy" && /^[+-]?\d+$/.test(name)) return this.#stageAt(Number(name), source);
      const known = this.#byName.get(name.toLowerCase());
      if (known) return { kind: "stage", stage: known };
      const context = this.#context(name, stage.platform, source);
      if (context?.kind === "files") return context;
      // An image that no stage stands on: a stage of its own without instructions.
      return { kind: "stage", stage: this.#addImage(name, source, stage) };
    });
  }

  #stageAt(index: number, source: SourceRange): PlannedOrigin {
    const stage = this.#stages[index];
    if (stage && !stage.isCopiedImage) return { kind: "stage", stage };
    throw locate(new InvalidParameterError(`invalid stage index ${index}`), { source });
  }

  #addImage(reference: string, source: SourceRange, reader: PlannedStage): PlannedStage {
    const image = this.#add("", { source, text: "" }, reference, reader.platform);
    image.stepCount = 0;
    image.isCopiedImage = true;
    return image;
  }

  #rejectCycles(): void {
    const done = new Set<PlannedStage>();
    const open = new Set<PlannedStage>();
    const visit = (stage: PlannedStage): void => {
      if (done.has(stage)) return;
      open.add(stage);
      for (const { stage: needed, source } of needs(stage)) {
        if (open.has(needed)) throw locate(new InvalidParameterError(circleText(needed)), { source });
        visit(needed);
      }
      open.delete(stage);
      done.add(stage);
    };
    for (const stage of this.#stages) visit(stage);
  }
}

/** Stages that must be built before this one. */
function dependencies(stage: PlannedStage): readonly PlannedStage[] {
  return needs(stage).map(({ stage: needed }) => needed);
}

/** The same, with the line that needs each. */
function needs(stage: PlannedStage): readonly { readonly stage: PlannedStage; readonly source: SourceRange }[] {
  const read = stage.instructions.flatMap(({ from, instruction: { source } }) =>
    from.flatMap((origin) => (origin?.kind === "stage" ? [{ stage: origin.stage, source }] : [])),
  );
  return stage.base ? [{ stage: stage.base, source: stage.source }, ...read] : read;
}

function circleText({ name, index }: PlannedStage): string {
  return `circular dependency detected on stage: ${name || `stage-${index}`}`;
}

/** The names behind `--from` and `from=`, "" where there is none. */
function namesRead(instruction: Instruction): readonly string[] {
  if (instruction.kind === "copy") return [instruction.from];
  return instruction.kind === "run" ? instruction.mounts.map(({ from }) => from) : [];
}

function referenceOf(context: ReturnType<ContextNames["find"]>): string {
  if (context?.kind === "image") return context.reference === SCRATCH ? "" : context.reference;
  return context?.kind === "oci-layout" ? `${context.name}@${context.digest}` : "";
}

function baseNameOf(written: string, expanded: string): string {
  if (expanded !== "") return expanded;
  throw new InvalidParameterError(`base name (${written}) should not be blank`);
}

function platformOf(written: string, expand: (word: string) => string): Platform {
  const text = expand(written);
  if (text === "") throw new InvalidParameterError(`empty platform value from expression ${written}`);
  try {
    return parsePlatform(text);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidParameterError(`failed to parse platform ${written}: ${detail}`, { cause });
  }
}

function canonicalReference(name: string, source: SourceRange): string {
  return atPlace(source, () => {
    try {
      return formatReference(tagNameOnly(parseReference(name)));
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw new InvalidParameterError(`failed to parse stage name ${JSON.stringify(name)}: ${detail}`, { cause });
    }
  });
}

function atPlace<T>(source: SourceRange, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw locate(error, { source });
  }
}
