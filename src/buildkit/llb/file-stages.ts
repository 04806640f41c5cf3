import type { StageSettings } from "#build/graph/stage-settings.ts";
import { InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import type {
  ChownOpt,
  FileAction,
  FileActionCopy,
  FileActionMkDir,
  FileActionMkFile,
  FileActionSymlink,
  FileOp,
} from "#proto/ops_pb.ts";
import type { StageWriter } from "./definition-dockerfile.ts";
import { isPlainWord, literalList, literalWord } from "./dockerfile-words.ts";
import { memoryContext } from "./memory-context.ts";
import { ownerText } from "./owner-text.ts";

/** A stage an action; gives those that are outputs, by index. Throws NotImplementedError for what COPY has no word for. */
export function fileStages({ actions }: FileOp, writer: StageWriter): ReadonlyMap<number, string> {
  const outputs = new Map<number, string>();
  const made: string[] = [];
  for (const action of actions) {
    // Indexes behind the inputs are earlier actions.
    const input = (index: bigint): string => {
      const earlier = made[Number(index) - writer.inputCount];
      return Number(index) >= writer.inputCount && earlier !== undefined ? earlier : writer.input(index);
    };
    const settings = action.action.case === "copy" ? copySettings(action.action.value) : {};
    const name = writer.stage(input(action.input), lines(action, input, writer), settings);
    made.push(name);
    if (action.output >= 0n) outputs.set(Number(action.output), name);
  }
  return outputs;
}

function lines(
  { action, secondaryInput }: FileAction,
  input: (index: bigint) => string,
  writer: StageWriter,
): string[] {
  switch (action.case) {
    case "copy":
      return [copyLine(action.value, secondaryInput, input, writer)];
    case "mkfile":
      return [fileLine(action.value, writer)];
    case "mkdir":
      return [directoryLine(action.value)];
    case "symlink":
      return [linkLine(action.value, writer)];
    case "rm":
      throw new InvalidParameterError("invalid LLB definition: rm has no result");
    case undefined:
      throw new InvalidParameterError("invalid LLB definition: a file action of unknown kind");
  }
}

function copyLine(copy: FileActionCopy, from: bigint, input: (index: bigint) => string, writer: StageWriter): string {
  const flags = [...ownerFlag(copy.owner), ...modeFlags(copy)];
  const unpacked = copy.attemptUnpack ? writer.unpackedSource(from, copy.src, copy.dest, flags.join(" ")) : undefined;
  if (unpacked !== undefined) return unpacked;
  const source = copy.allowWildcard ? copy.src : copy.src.replaceAll(/[\\*?[]/g, "\\$&");
  return ["COPY", `--from=${input(from)}`, ...flags, literalList([source, copy.dest])].join(" ");
}

function modeFlags({ mode, modeStr }: FileActionCopy): readonly string[] {
  if (modeStr === "") return mode > 0 ? [modeFlag(mode)] : [];
  if (!/^[0-7ugoarwxXst+=,-]+$/.test(modeStr))
    throw new InvalidParameterError(`invalid LLB definition: mode ${JSON.stringify(modeStr)}`);
  return [`--chmod=${modeStr}`];
}

/** What COPY has no words for. */
function copySettings({ includePatterns, excludePatterns, attemptUnpack, timestamp }: FileActionCopy): StageSettings {
  const isFiltered = includePatterns.length + excludePatterns.length > 0;
  // What is wanted is what is not left out of everything.
  const included = includePatterns.length > 0 ? ["**", ...includePatterns.map((pattern) => `!${pattern}`)] : [];
  const patterns = [...included, ...excludePatterns.map(ignorePattern)];
  return {
    ...(isFiltered ? { exclude: patterns } : {}),
    ...(attemptUnpack ? { unpack: true } : {}),
    ...(timestamp > 0n ? { mtime: Number(timestamp / 1_000_000_000n) } : {}),
  };
}

/** In a .dockerignore a line that begins with `#` is a comment. */
function ignorePattern(pattern: string): string {
  return pattern.startsWith("#") ? `./${pattern}` : pattern;
}

function fileLine({ path, mode, data, owner, timestamp }: FileActionMkFile, writer: StageWriter): string {
  const mtime = timestamp > 0n ? Number(timestamp / 1_000_000n) : 0;
  const context = writer.context(memoryContext({ path: "file", data, mode: mode & 0o7777, mtime }));
  return ["COPY", `--from=${context}`, ...ownerFlag(owner), literalList(["file", path])].join(" ");
}

/** WORKDIR makes directories as mkdir -p does, root's and 0755. */
function directoryLine({ path }: FileActionMkDir): string {
  return `WORKDIR ${literalWord(path)}`;
}

/** As what a directory holds: a source that is a link itself would be followed. */
function linkLine({ oldpath, newpath }: FileActionSymlink, writer: StageWriter): string {
  const slash = newpath.lastIndexOf("/");
  const name = newpath.slice(slash + 1);
  if (name === "" || name === "." || name === "..")
    throw new InvalidParameterError(`invalid LLB definition: symlink ${JSON.stringify(newpath)}`);
  const context = writer.context(memoryContext({ path: name, target: oldpath }));
  return `COPY --from=${context} ${literalList(["/", `${newpath.slice(0, slash)}/`])}`;
}

function ownerFlag(owner: ChownOpt | undefined): string[] {
  const text = ownerText(owner);
  if (!isPlainWord(text)) throw new NotImplementedError(`LLB owner ${JSON.stringify(text)} is not supported`);
  return text === "" ? [] : [`--chown=${text}`];
}

function modeFlag(mode: number): string {
  return `--chmod=0${(mode & 0o7777).toString(8)}`;
}
