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
  /** Canonical reference, or "" for scratch and for a stage on a stage. */
  readonly reference: string;
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
  /** The stage that `COPY --from` reads. */
  readonly from: PlannedStage | undefined;
  readonly isTrigger: boolean;
}

const SCRATCH = "scratch";
/** The instructions that count in `[stage i/N]`. */
const COUNTED: ReadonlySet<Instruction["kind"]> = new Set(["run", "copy", "add", "workdir"]);

interface MutableStage extends PlannedStage {
  displayName: string;
  base: PlannedStage | undefined;
  reference: string;
  instructions: readonly PlannedInstruction[];
  stepCount: number;
  isCopiedImage: boolean;
}

/** The stages of a Dockerfile and how they hang together. */
export class StagePlan {
  readonly #escape: EscapeCharacter;
  readonly #defaultPlatform: Platform;
  readonly #stages: MutableStage[] = [];
  readonly #byName = new Map<string, MutableStage>();

  /** Throws LocatedError for a bad base name or platform, an unknown stage index, and for stages that need one another. */
  constructor(dockerfile: Dockerfile, scope: VariableList, defaultPlatform: Platform) {
    this.#escape = dockerfile.escape;
    this.#defaultPlatform = defaultPlatform;
    for (const stage of dockerfile.stages) {
      const expand = (word: string): string => expandWord(word, scope, dockerfile.escape);
      this.#add(
        stage.name,
        stage,
        atPlace(stage.source, () => baseNameOf(stage.base, expand(stage.base))),
        stage.platform === "" ? undefined : atPlace(stage.source, () => platformOf(stage.platform, expand)),
      );
    }
    for (const stage of dockerfile.stages) {
      const planned = this.#stages[stage.index];
      if (planned) this.#addInstructions(planned, stage.instructions, false);
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
    const found = name === "" ? last : (this.#byName.get(name.toLowerCase()) ?? this.#byIndex(name, fileStages));
    if (found) return found;
    const names = fileStages.map((stage) => stage.name || `stage-${stage.index}`);
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
    return instructions.some((instruction) => instruction.kind === "copy" && instruction.from !== "");
  }

  #add(
    name: string,
    { source, text }: Pick<PlannedStage, "source" | "text">,
    baseName: string,
    platform: Platform | undefined,
  ): MutableStage {
    const index = this.#stages.length;
    const base = this.#byName.get(baseName.toLowerCase());
    const onImage = !base && baseName !== SCRATCH;
    const stage: MutableStage = {
      index,
      name,
      displayName: name === "" ? `stage-${index}` : name,
      source,
      text,
      base,
      baseName,
      reference: onImage ? canonicalReference(baseName, source) : "",
      platform: platform ?? base?.platform ?? this.#defaultPlatform,
      instructions: [],
      stepCount: onImage ? 1 : 0,
      isCopiedImage: false,
    };
    this.#stages.push(stage);
    if (name !== "") this.#byName.set(name, stage);
    return stage;
  }

  #addInstructions(stage: MutableStage, instructions: readonly Instruction[], isTrigger: boolean): void {
    const planned = instructions.map((instruction) => ({
      instruction,
      from: this.#sourceOf(instruction, stage),
      isTrigger,
    }));
    stage.instructions = isTrigger ? [...planned, ...stage.instructions] : planned;
    stage.stepCount += instructions.filter((instruction) => COUNTED.has(instruction.kind)).length;
  }

  #sourceOf(instruction: Instruction, stage: PlannedStage): PlannedStage | undefined {
    if (instruction.kind !== "copy" || instruction.from === "") return undefined;
    const { from, source } = instruction;
    if (/^[+-]?\d+$/.test(from)) {
      const found = this.#stages[Number(from)];
      if (found && !found.isCopiedImage) return found;
      throw locate(new InvalidParameterError(`invalid stage index ${Number(from)}`), { source });
    }
    // An image that no stage stands on: a stage of its own without instructions.
    return this.#byName.get(from.toLowerCase()) ?? this.#addImage(from, source, stage);
  }

  #addImage(reference: string, source: SourceRange, reader: PlannedStage): PlannedStage {
    const image = this.#add("", { source, text: "" }, reference, reader.platform);
    image.stepCount = 0;
    image.isCopiedImage = true;
    return image;
  }

  #byIndex(name: string, stages: readonly PlannedStage[]): PlannedStage | undefined {
    return /^\d+$/.test(name) ? stages[Number(name)] : undefined;
  }

  #rejectCycles(): void {
    const done = new Set<PlannedStage>();
    const open = new Set<PlannedStage>();
    const visit = (stage: PlannedStage): void => {
      if (done.has(stage)) return;
      if (open.has(stage)) {
        const message = `circular dependency detected on stage: ${stage.displayName || "0"}`;
        throw locate(new InvalidParameterError(message), { source: stage.source });
      }
      open.add(stage);
      for (const needed of dependencies(stage)) visit(needed);
      open.delete(stage);
      done.add(stage);
    };
    for (const stage of this.#stages) visit(stage);
  }
}

/** Stages that must be built before this one. */
function dependencies(stage: PlannedStage): readonly PlannedStage[] {
  const read = stage.instructions.flatMap(({ from }) => (from ? [from] : []));
  return stage.base ? [stage.base, ...read] : read;
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
