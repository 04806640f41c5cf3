import type { CopyInstruction, Dockerfile, Instruction, RunInstruction } from "../instructions/types.ts";
import type { LineEdit } from "./unified-diff.ts";

/** The root of the context. */
export interface ContextRoot {
  /** A file's text, undefined when there is none. */
  text(name: string): string | undefined;
  has(name: string): boolean;
}

/** COPY of all sources before an install that only needs its manifests: the install can come first. */
export interface InstallSplit {
  readonly edits: readonly LineEdit[];
  readonly copy: CopyInstruction;
  readonly run: RunInstruction;
  /** What the install reads: files of the context's root. */
  readonly manifests: readonly string[];
}

/** An installer: the commands that read nothing but these files, and what in the files says otherwise. */
interface Installer {
  readonly command: RegExp;
  /** The first must be there; the others are taken when they are. */
  readonly manifests: readonly string[];
  /** What the install makes in its directory: in the context too, the sources that come behind would overwrite it. */
  readonly makes: string;
  /** Text of a manifest with which the install may read other files. */
  readonly readsMore: RegExp;
}

/** Flags without values and with `=value`: nothing that names another file. */
const FLAGS = "(?: +--?[a-z][a-z-]*(?:=[\\w.-]+)?)*";
const NODE_READS = /"(?:pre|post)?install"\s*:|"prepare"\s*:|"workspaces"\s*:|"(?:file|link|portal|workspace):/;

const INSTALLERS: readonly Installer[] = [
  {
    command: new RegExp(`^npm +(?:ci|install|i)${FLAGS} *$`),
    manifests: ["package.json", "package-lock.json", "npm-shrinkwrap.json", ".npmrc"],
    makes: "node_modules",
    readsMore: NODE_READS,
  },
  {
    command: new RegExp(`^yarn(?: +install)?${FLAGS} *$`),
    manifests: ["package.json", "yarn.lock", ".npmrc", ".yarnrc"],
    makes: "node_modules",
    readsMore: NODE_READS,
  },
  {
    command: new RegExp(`^pnpm +(?:install|i)${FLAGS} *$`),
    manifests: ["package.json", "pnpm-lock.yaml", ".npmrc"],
    makes: "node_modules",
    readsMore: NODE_READS,
  },
  {
    command: new RegExp(`^(?:python3? +-m +)?pip3? +install${FLAGS} +-r +requirements\\.txt${FLAGS} *$`),
    manifests: ["requirements.txt"],
    makes: "",
    readsMore: /^\s*(?:-|\.|\/|file:|[^#\s]+\s*@\s*(?:file:|\.))/m,
  },
  {
    command: /^go +mod +download(?: +-x)? *$/,
    manifests: ["go.mod", "go.sum"],
    makes: "",
    readsMore: /=>\s*\.{0,2}\//,
  },
];

/** The splits that can be proven to break nothing. One per stage at most. */
export function installSplits({ stages, lines }: Dockerfile, root: ContextRoot): InstallSplit[] {
  return stages.flatMap(({ instructions }) => {
    for (const [index, instruction] of instructions.entries()) {
      const split =
        instruction.kind === "run" ? splitAt(instruction, instructions.slice(0, index), lines, root) : undefined;
      if (split) return [split];
    }
    return [];
  });
}

function splitAt(
  run: RunInstruction,
  before: readonly Instruction[],
  lines: readonly string[],
  root: ContextRoot,
): InstallSplit | undefined {
  const installer =
    run.command.form === "shell" && run.heredocs.length === 0 ? installerOf(run.command.line) : undefined;
  const copy = before.at(-1);
  if (!installer || copy?.kind !== "copy" || !copiesAllHere(copy, before)) return undefined;
  if (installer.makes !== "" && root.has(installer.makes)) return undefined;
  const texts = installer.manifests.map((name) => root.text(name));
  const manifests = installer.manifests.filter((_name, index) => texts[index] !== undefined);
  if (texts[0] === undefined || texts.some((text) => text !== undefined && installer.readsMore.test(text)))
    return undefined;
  const moved = lines.slice(run.source.startLine - 1, run.source.endLine);
  const flags = [copy.chown === "" ? "" : `--chown=${copy.chown} `, copy.chmod === "" ? "" : `--chmod=${copy.chmod} `];
  const { startLine } = copy.source;
  return {
    copy,
    run,
    manifests,
    edits: [
      { start: startLine, end: startLine - 1, lines: [`COPY ${flags.join("")}${manifests.join(" ")} ./`, ...moved] },
      { start: run.source.startLine, end: run.source.endLine, lines: [] },
    ],
  };
}

function installerOf(line: string): Installer | undefined {
  return INSTALLERS.find(({ command }) => command.test(line.trim()));
}

/** `COPY . .` into a directory that a WORKDIR of this stage has made: the manifests lie where the install runs. */
function copiesAllHere(copy: CopyInstruction, before: readonly Instruction[]): boolean {
  const workdir = before.findLast((instruction) => instruction.kind === "workdir");
  const isHere = [".", "./"].includes(copy.destination) || copy.destination.replace(/\/$/, "") === workdir?.path;
  const isAll = copy.sources.length === 1 && [".", "./", "/"].includes(copy.sources[0] ?? "");
  const isPlain = copy.from === "" && copy.heredocs.length === 0 && copy.exclude.length === 0 && !copy.parents;
  return workdir !== undefined && isHere && isAll && isPlain;
}
