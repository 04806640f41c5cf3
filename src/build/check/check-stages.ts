import { posix } from "node:path";
import { formatPlatform, parsePlatform } from "#formats/platform.ts";
import { closestWord } from "#lib/closest-word.ts";
import type { ContainerDefaults, Platform } from "#spec/oci-image.ts";
import { SCAN_ARGS } from "../graph/scan-targets.ts";
import { splitVariable, VariableList } from "../graph/variables.ts";
import { expandInstruction, expandWord } from "../instructions/expand.ts";
import type { Dockerfile, Instruction, Stage } from "../instructions/types.ts";
import { quotedWords } from "../parse/arguments.ts";
import { processWords } from "../parse/shell-words.ts";
import type { SourceRange } from "../parse/source.ts";
import { splitInstruction } from "../parse/split-instruction.ts";
import { verbOf } from "./check-file.ts";
import type { CheckFindings } from "./check-findings.ts";
import { SeenVariables } from "./seen-variables.ts";

/** What the checks must know besides the file. */
export interface CheckSurroundings {
  /** The ARGs before the first FROM and the platform's, with the values of this build. */
  readonly scope: VariableList;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Stages to look into, by index; those that a context replaces are none. */
  readonly stages: ReadonlySet<number>;
  /** The images that stages stand on, by the stage's index; one that is not known is taken for one without settings. */
  readonly images: ReadonlyMap<number, CheckedImage>;
  /** Whether .dockerignore keeps a path out of the context; undefined without such a file, or with exceptions in it. */
  readonly ignores: ((path: string) => boolean) | undefined;
}

export interface CheckedImage {
  readonly wanted: Platform;
  readonly platform: Platform;
  readonly config: ContainerDefaults;
}

/** The variables of FROM lines. */
export function checkFroms(dockerfile: Dockerfile, scope: VariableList, findings: CheckFindings): void {
  for (const stage of dockerfile.stages) checkFromVariables(dockerfile, stage, scope, findings);
}

/** The checks of base images and of what stands in the stages, in BuildKit's order. */
export function checkStages(dockerfile: Dockerfile, surroundings: CheckSurroundings, findings: CheckFindings): void {
  for (const stage of dockerfile.stages) checkPlatform(stage, surroundings, findings);
  const states = new Map<string, StageState>();
  for (const stage of dockerfile.stages) {
    const base = states.get(baseName(dockerfile, stage, surroundings.scope));
    const state = base ? continued(base) : fresh(surroundings.images.get(stage.index)?.config ?? {});
    if (surroundings.stages.has(stage.index)) new StageChecker(dockerfile, surroundings, state, findings).check(stage);
    if (stage.name !== "") states.set(stage.name, state);
  }
}

function baseName({ escape: escaper }: Dockerfile, stage: Stage, scope: VariableList): string {
  return attempt(() => expandWord(stage.base, scope, escaper), stage.base).toLowerCase();
}

function checkFromVariables(dockerfile: Dockerfile, stage: Stage, scope: VariableList, findings: CheckFindings): void {
  const declared = dockerfile.globalArgs.flatMap(({ args }) => args.map(({ key }) => key));
  const known = [...keysOf(scope), ...declared];
  const expand = (word: string): { readonly seen: SeenVariables; readonly result: string } => {
    const seen = new SeenVariables(scope);
    const result = attempt(() => expandWord(word, seen, dockerfile.escape), word);
    for (const name of seen.missing) {
      if (!known.includes(name)) {
        findings.report("UndefinedArgInFrom", stage.source, name, closestWord(name, known) ?? "");
      }
    }
    return { seen, result };
  };
  expand(stage.base);
  if (stage.platform === "") return;
  const { seen, result } = expand(stage.platform);
  const isTarget = seen.found.size === 1 && seen.missing.size === 0 && seen.found.has("TARGETPLATFORM");
  if (isTarget && result === scope.get("TARGETPLATFORM")) {
    findings.report("RedundantTargetPlatform", stage.source, stage.platform);
  }
  if (seen.found.size === 0 && seen.missing.size === 0) checkConstPlatform(stage, result, findings);
}

function checkConstPlatform({ name, source }: Stage, text: string, findings: CheckFindings): void {
  const platform = attempt(() => parsePlatform(text), undefined);
  if (!platform || name.includes(platform.os) || name.includes(platform.architecture)) return;
  findings.report("FromPlatformFlagConstDisallowed", source, text);
}

function checkPlatform({ index, base, source }: Stage, { images }: CheckSurroundings, findings: CheckFindings): void {
  const image = images.get(index);
  if (!image) return;
  const { wanted, platform } = image;
  if (wanted.os === platform.os && wanted.architecture === platform.architecture) return;
  findings.report("InvalidBaseImagePlatform", source, base, formatPlatform(wanted), formatPlatform(platform));
}

/** What a stage has come to; one that stands on another stage begins with what that one had. */
interface StageState {
  variables: VariableList;
  declared: readonly string[];
  hasShell: boolean;
  hasWorkdir: boolean;
}

function fresh({ Env, Shell }: ContainerDefaults): StageState {
  const variables = new VariableList((Env ?? []).map(splitVariable));
  const withPath = variables.get("PATH") === undefined ? variables.with("PATH", "") : variables;
  return { variables: withPath, declared: [], hasShell: (Shell ?? []).length > 0, hasWorkdir: false };
}

function continued(base: StageState): StageState {
  return { ...base };
}

/** `_`-delimited words of a name that tell of a secret, and those that tell that it is none. */
const SECRET = /(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i;
const NO_SECRET = /(?:_|^)(?:public|file|version)(?:_|$)/i;
/** Read by the builder itself. */
const NO_VARIABLES: readonly string[] = Object.values(SCAN_ARGS);

class StageChecker {
  readonly #dockerfile: Dockerfile;
  readonly #surroundings: CheckSurroundings;
  readonly #state: StageState;
  readonly #findings: CheckFindings;
  /** CMD, ENTRYPOINT and HEALTHCHECK of this stage, of which only the last one counts. */
  readonly #last = new Map<string, SourceRange>();

  constructor(dockerfile: Dockerfile, surroundings: CheckSurroundings, state: StageState, findings: CheckFindings) {
    this.#dockerfile = dockerfile;
    this.#surroundings = surroundings;
    this.#state = state;
    this.#findings = findings;
  }

  check(stage: Stage): void {
    for (const instruction of stage.instructions) this.#check(instruction);
  }

  #check(written: Instruction): void {
    if (written.kind === "arg") this.#arg(written);
    else if (written.kind === "expose") this.#expose(written);
    else this.#checkExpanded(written);
  }

  #checkExpanded(written: Instruction): void {
    const instruction = this.#expanded(written);
    const { source, text } = instruction;
    switch (instruction.kind) {
      case "env":
      case "label":
        this.#pairs(instruction);
        break;
      case "workdir":
        if (!this.#state.hasWorkdir && !instruction.path.startsWith("/")) {
          this.#findings.report("WorkdirRelativePath", source, instruction.path);
        }
        this.#state.hasWorkdir = true;
        break;
      case "copy":
      case "add":
        this.#sources(instruction);
        break;
      case "cmd":
      case "entrypoint":
        this.#once(instruction);
        if (instruction.command.form === "shell" && !this.#state.hasShell) {
          this.#findings.report("JSONArgsRecommended", source, verbOf(text));
        }
        break;
      case "healthcheck":
        this.#once(instruction);
        break;
      case "shell":
        this.#state.hasShell = true;
        break;
      default:
    }
  }

  /** With the variables that it uses and that are not set reported. */
  #expanded<T extends Instruction>(instruction: T): T {
    const seen = new SeenVariables(this.#state.variables);
    const { escape: escaper } = this.#dockerfile;
    const expanded = attempt(() => expandInstruction(instruction, seen, escaper), instruction);
    if (instruction.kind === "run") {
      for (const { text } of instruction.mounts) attempt(() => expandWord(text, seen, escaper), "");
    }
    this.#reportMissing(seen, instruction.source);
    return expanded;
  }

  #reportMissing({ missing }: SeenVariables, source: SourceRange): void {
    const { variables, declared } = this.#state;
    for (const name of missing) {
      if (declared.includes(name) || NO_VARIABLES.includes(name)) continue;
      this.#findings.report("UndefinedVar", source, name, closestWord(name, keysOf(variables)) ?? "");
    }
  }

  #pairs(instruction: Extract<Instruction, { readonly kind: "env" | "label" }>): void {
    const { kind, text, source, pairs } = instruction;
    const isLegacy = !quotedWords(splitInstruction(text).rest, this.#dockerfile.escape)[0]?.includes("=");
    for (const { key, value } of pairs) {
      if (isLegacy) this.#findings.report("LegacyKeyValueFormat", source, verbOf(text));
      if (kind === "label") continue;
      this.#secret("ENV", key, source);
      this.#state.variables = this.#state.variables.with(key, value);
    }
  }

  #secret(command: string, key: string, source: SourceRange): void {
    if (SECRET.test(key) && !NO_SECRET.test(key)) this.#findings.report("SecretsUsedInArgOrEnv", source, command, key);
  }

  #arg({ args, source }: Extract<Instruction, { readonly kind: "arg" }>): void {
    const { buildArgs, scope } = this.#surroundings;
    for (const { key, value } of args) {
      this.#secret("ARG", key, source);
      const seen = new SeenVariables(this.#state.variables);
      const { escape: escaper } = this.#dockerfile;
      const byDefault = value === undefined ? scope.get(key) : attempt(() => expandWord(value, seen, escaper), value);
      if (buildArgs[key] === undefined) this.#reportMissing(seen, source);
      const resolved = buildArgs[key] ?? byDefault;
      if (resolved !== undefined) this.#state.variables = this.#state.variables.with(key, resolved);
      this.#state.declared = [...this.#state.declared, key];
    }
  }

  #expose({ ports, source }: Extract<Instruction, { readonly kind: "expose" }>): void {
    const { escape: escaper } = this.#dockerfile;
    const words = ports.flatMap((port) =>
      attempt(() => processWords(port, this.#state.variables, { escape: escaper }), []),
    );
    for (const word of words) {
      const protocol = word.slice(word.lastIndexOf(":") + 1).split("/")[1] ?? "";
      if (protocol !== protocol.toLowerCase()) this.#findings.report("ExposeProtoCasing", source, word);
      if (/[^:]/.test(word.slice(0, Math.max(0, word.lastIndexOf(":"))))) {
        this.#findings.report("ExposeInvalidFormat", source, word);
      }
    }
  }

  #sources(instruction: Extract<Instruction, { readonly kind: "copy" | "add" }>): void {
    const { ignores } = this.#surroundings;
    if (!ignores || (instruction.kind === "copy" && instruction.from !== "")) return;
    for (const written of instruction.sources) {
      if (/^(https?|git|ssh):\/\/|^[\w.-]+@[\w.-]+:/.test(written)) continue;
      const path = posix.normalize(written).replace(/(.)\/$/, "$1");
      const isIgnored = path === "." || path === "/" ? ignores("") : ignores(path);
      if (isIgnored) {
        this.#findings.report("CopyIgnoredFile", instruction.source, instruction.kind === "add" ? "Add" : "Copy", path);
      }
    }
  }

  /** The place reported is that of the former one: it is the one that does not count. */
  #once({ kind, text, source }: Instruction): void {
    const former = this.#last.get(kind);
    if (former) this.#findings.report("MultipleInstructionsDisallowed", former, verbOf(text));
    this.#last.set(kind, source);
  }
}

function keysOf(variables: VariableList): readonly string[] {
  return variables.toEnvironment().map((variable) => splitVariable(variable)[0]);
}

/** What cannot be expanded is the build's to complain of. */
function attempt<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}
