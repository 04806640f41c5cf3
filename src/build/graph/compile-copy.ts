import { InvalidParameterError } from "#errors/errors.ts";
import { type GitSource, parseGitSource } from "../context/git-source.ts";
import { redactUrl } from "../context/redact-url.ts";
import type { AddInstruction, CopyInstruction } from "../instructions/types.ts";
import type { CopyArgument, CopyStep, FilesOrigin, PathArgument } from "./graph-types.ts";
import { copyDestination } from "./image-path.ts";
import type { StageContext } from "./stage-context.ts";
import { stepText } from "./step-name.ts";

/** COPY or ADD as a step that reads `from`, and its history entry: the Dockerfile's form without --from and --link. */
export function compileCopy(
  instruction: CopyInstruction | AddInstruction,
  from: FilesOrigin,
  context: StageContext,
  isTrigger: boolean,
): { readonly step: CopyStep; readonly createdBy: string } {
  const { sources, destination, chown, chmod, exclude, heredocs, source } = instruction;
  const isAdd = instruction.kind === "add";
  const parents = instruction.kind === "copy" && instruction.parents;
  checkMode(chmod);
  if (isAdd) checkChecksum(instruction);
  const text = withoutPasswords(
    stepText(instruction.text, context.variables, { escape: context.options.escape }),
    sources,
  );
  const step: CopyStep = {
    kind: "copy",
    name: context.namer.next(text, { isTrigger, variables: context.variables }),
    source,
    from,
    sources: sources.map((path) => argumentOf(path, instruction)),
    inlineFiles: heredocs.map(({ name, content }) => ({ name, content })),
    destination: copyDestination(context.image.workingDir, destination),
    chown,
    chmod,
    exclude,
    unpack: { local: isAdd && (instruction.unpack ?? true), remote: isAdd && (instruction.unpack ?? false) },
    ...(context.options.epoch === undefined ? {} : { mtime: context.options.epoch }),
    // As in BuildKit, --chmod takes --link's effect away; and a name's number is only known to the image below.
    link: instruction.link && chmod === "" && /^[\d:]*$/.test(chown),
  };
  const words = [
    isAdd ? "ADD" : "COPY",
    ...(parents ? ["--parents"] : []),
    ...(chown === "" ? [] : [`--chown=${chown}`]),
    ...(chmod === "" ? [] : [`--chmod=${chmod}`]),
    ...sources.map(redactUrl),
    ...heredocs.map(({ name }) => `<<${name}`),
    destination,
    "# buildkit",
  ];
  return { step, createdBy: words.join(" ") };
}

/** A password in a URL is in the Dockerfile already, but need not be in the image's history and in every log of a build. */
function withoutPasswords(text: string, sources: readonly string[]): string {
  return sources.reduce((shown, source) => shown.replaceAll(source, redactUrl(source)), text);
}

function argumentOf(source: string, instruction: CopyInstruction | AddInstruction): CopyArgument {
  const git = parseGitSource(source, { allowBareHost: false });
  const isUrl = !git && /^https?:\/\//.test(source);
  if (instruction.kind === "copy") {
    if (git || isUrl) throw new InvalidParameterError(`source can't be a ${git ? "git ref" : "URL"} for COPY`);
    return instruction.parents ? withParents(source) : { kind: "path", path: source };
  }
  if (git) return { kind: "git", source: gitSourceOf(git, instruction) };
  return isUrl ? { kind: "http", url: source, checksum: instruction.checksum } : { kind: "path", path: source };
}

/** `--parents`: what stands before `/./` is where the copied directories begin. */
function withParents(source: string): PathArgument {
  const pivot = source.indexOf("/./");
  const path = pivot < 0 ? "/" : source.slice(0, pivot) || "/";
  const pattern = cleanPattern(pivot < 0 ? source : source.slice(pivot + 3));
  return { kind: "path", path, parents: { pattern, isRequired: !/[*?[]/.test(path + pattern) } };
}

/** Relative, and `..` cannot leave the root. */
function cleanPattern(pattern: string): string {
  const parts: string[] = [];
  for (const part of pattern.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

function gitSourceOf(git: GitSource, { checksum, keepGitDir }: AddInstruction): GitSource {
  if (checksum !== "" && git.checksum !== "" && checksum !== git.checksum) {
    throw new InvalidParameterError(`checksum mismatch ${JSON.stringify(checksum)} != ${JSON.stringify(git.checksum)}`);
  }
  const commit = git.checksum || checksum;
  return {
    ...git,
    checksum: commit,
    ref: git.ref === "" ? commit : git.ref,
    keepGitDirectory: git.keepGitDirectory || keepGitDir,
  };
}

function checkChecksum({ checksum, sources, heredocs }: AddInstruction): void {
  if (checksum === "") return;
  if (sources.length + heredocs.length !== 1) {
    throw new InvalidParameterError("checksum can't be specified for multiple sources");
  }
  const [source = ""] = sources;
  const isGit = parseGitSource(source, { allowBareHost: false }) !== undefined;
  if (!isGit && !/^https?:\/\//.test(source)) {
    throw new InvalidParameterError("checksum requires HTTP(S) or Git sources");
  }
  if (!isGit && !/^sha256:[0-9a-f]{64}$/.test(checksum)) {
    throw new InvalidParameterError(`invalid checksum digest format: ${checksum}: expected sha256:<64 hex digits>`);
  }
  if (isGit && !/^[0-9a-f]{7,64}$/.test(checksum)) {
    throw new InvalidParameterError(`invalid checksum ${checksum} for Git source: expected a commit hash in hex`);
  }
}

function checkMode(chmod: string): void {
  if (chmod === "" || /^[0-7]{1,12}$/.test(chmod)) {
    if (chmod === "" || Number.parseInt(chmod, 8) <= 0o7777) return;
  } else if (/^[ugoa]*([-+=][rwxXst]*|[-+=][ugo])+(,[ugoa]*([-+=][rwxXst]*|[-+=][ugo])+)*$/.test(chmod)) {
    return;
  }
  throw new InvalidParameterError(
    `invalid chmod parameter: '${chmod}'. it should be octal string and between 0 and 07777`,
  );
}
