import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { BuildOutputRequest } from "#client/build.ts";
import { errorCode, errorMessage, InvalidParameterError } from "#errors/errors.ts";
import type { CommandContext } from "../grammar/command.ts";
import { csvFields } from "../grammar/csv-line.ts";

/** Where on this machine an output goes. */
export type OutputTarget =
  /** `isOnly`: what else is there goes. */
  | { readonly kind: "directory"; readonly path: string; readonly isOnly?: boolean }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "stdout" };

export interface ParsedOutputs {
  readonly requests: readonly BuildOutputRequest[];
  /** By the place among `requests`; undefined for what stays with the engine. */
  readonly targets: readonly (OutputTarget | undefined)[];
}

export interface OutputFlags {
  readonly output: readonly string[];
  readonly push: boolean;
  readonly load: boolean;
  readonly annotation: readonly string[];
}

/**
 * Reads `-o`, `--push`, `--load` and `--annotation` as buildx does. Throws InvalidParameterError, in its words, for an output that cannot be
 * written. https://docs.docker.com/reference/cli/docker/buildx/build/#output
 */
export async function parseOutputs(flags: OutputFlags, context: CommandContext): Promise<ParsedOutputs> {
  const written = flags.output.map(parseOutput);
  if (flags.push) addPush(written);
  if (flags.load && !written.some(({ Type, Attrs }) => Type === "docker" && !Attrs["dest"])) {
    written.push({ Type: "docker", Attrs: {} });
  }
  const annotations = flags.annotation.map(parseAnnotation);
  if (annotations.length > 0 && written.length === 0) written.push({ Type: "image", Attrs: {} });
  for (const output of written) {
    if (["image", "registry", "oci", "docker"].includes(output.Type)) Object.assign(output.Attrs, ...annotations);
  }
  const targets = await Promise.all(written.map((output) => targetOf(output, context)));
  if (targets.filter((target) => target?.kind === "stdout").length > 1) {
    throw new InvalidParameterError("only one output can be written to stdout");
  }
  return {
    // The engine need not know where.
    requests: written.map(({ Type, Attrs }) => ({ Type, Attrs: Attrs["dest"] ? { ...Attrs, dest: "client" } : Attrs })),
    targets,
  };
}

interface WrittenOutput {
  readonly Type: string;
  readonly Attrs: Record<string, string>;
}

function parseOutput(text: string): WrittenOutput {
  const fields = csvFields(text);
  const [only = ""] = fields;
  if (fields.length === 1 && only === text && !text.startsWith("type=")) {
    return text === "-" ? { Type: "tar", Attrs: { dest: "-" } } : { Type: "local", Attrs: { dest: text } };
  }
  let type = "";
  const attrs: Record<string, string> = {};
  for (const field of fields) {
    const equals = field.indexOf("=");
    if (equals < 0) throw new InvalidParameterError(`invalid value ${field}`);
    const key = field.slice(0, equals).trim().toLowerCase();
    // Keys of annotations are names of their own.
    const name = key.startsWith("annotation") ? field.slice(0, equals).trim() : key;
    if (key === "type") type = field.slice(equals + 1);
    else attrs[name] = field.slice(equals + 1);
  }
  if (type === "") throw new InvalidParameterError("type is required for output");
  return { Type: type, Attrs: attrs };
}

/** `--push` pushes the image output there is, or adds one. */
function addPush(outputs: WrittenOutput[]): void {
  const images = outputs.filter(({ Type }) => Type === "image" || Type === "registry");
  for (const { Attrs } of images) Attrs["push"] = "true";
  if (images.length === 0) outputs.push({ Type: "registry", Attrs: {} });
}

/** `[TYPE[,TYPE…]:]KEY=VALUE`, where a type may name a platform in brackets. */
function parseAnnotation(text: string): Record<string, string> {
  const [, types = "manifest", key = "", value = ""] =
    /^(?:([a-z,-]+(?:\[[^\]]*\])?(?:,[a-z-]+(?:\[[^\]]*\])?)*):)?([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === "") throw new InvalidParameterError(`invalid annotation ${JSON.stringify(text)}, expected key=value`);
  const attrs: Record<string, string> = {};
  for (const type of types.split(",")) {
    const [, name = "", platform = ""] = /^([a-z-]+)(\[[^\]]*\])?$/.exec(type) ?? [];
    if (!["manifest", "index", "manifest-descriptor", "index-descriptor"].includes(name)) {
      throw new InvalidParameterError(`unknown annotation type ${JSON.stringify(type)}`);
    }
    attrs[`annotation-${name}${platform}.${key}`] = value;
  }
  return attrs;
}

async function targetOf({ Type, Attrs }: WrittenOutput, context: CommandContext): Promise<OutputTarget | undefined> {
  const { dest = "" } = Attrs;
  const isArchive = Type === "oci" || Type === "docker";
  const isUnpacked = isArchive && /^(0|f|false)$/i.test(Attrs["tar"] ?? "");
  if (Type === "local") {
    const target = await directoryTarget(Type, dest, context);
    return isDeleting(Attrs) ? onlyTarget(target, context) : target;
  }
  if (isUnpacked) return await directoryTarget(Type, dest, context);
  if (Type !== "tar" && !isArchive) return undefined;
  if (dest === "" && Type === "docker") return undefined;
  if (dest === "" || dest === "-") {
    Attrs["dest"] = "-";
    if (!context.streams.stdout.isTerminal) return { kind: "stdout" };
    throw new InvalidParameterError(`dest file is required for ${Type} exporter. refusing to write to console`);
  }
  const path = resolve(context.workingDirectory, dest);
  if (await isDirectory(path, "file", dest)) {
    throw new InvalidParameterError(`destination file ${dest} is a directory`);
  }
  return { kind: "file", path };
}

async function directoryTarget(
  type: string,
  dest: string,
  context: CommandContext,
): Promise<Extract<OutputTarget, { readonly kind: "directory" }>> {
  if (dest === "") throw new InvalidParameterError(`dest is required for ${type} exporter`);
  if (dest === "-") throw new InvalidParameterError(`dest cannot be stdout for ${type} exporter`);
  const path = resolve(context.workingDirectory, dest);
  if ((await isDirectory(path, "directory", dest)) === false) {
    throw new InvalidParameterError(`destination directory ${dest} is a file`);
  }
  return { kind: "directory", path };
}

/** `mode=delete` of a local output. Throws InvalidParameterError. */
function isDeleting({ mode = "copy" }: WrittenOutput["Attrs"]): boolean {
  if (mode !== "copy" && mode !== "delete") {
    throw new InvalidParameterError(`invalid mode "${mode}" for local exporter: expected copy or delete`);
  }
  return mode === "delete";
}

/** What else is there goes: never what the user works in. Throws InvalidParameterError. */
function onlyTarget<T extends { readonly path: string }>(
  target: T,
  { workingDirectory, environment }: CommandContext,
): T & { readonly isOnly: true } {
  const precious = [workingDirectory, environment["HOME"] ?? "/"];
  if (precious.some((path) => `${resolve(path)}/`.startsWith(target.path === "/" ? "/" : `${target.path}/`))) {
    throw new InvalidParameterError(
      `mode=delete would remove all else in ${target.path}, where you are or live: give a directory of its own`,
    );
  }
  return { ...target, isOnly: true };
}

/** undefined: there is nothing yet. */
async function isDirectory(path: string, what: "file" | "directory", dest: string): Promise<boolean | undefined> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return undefined;
    throw new InvalidParameterError(`invalid destination ${what}: ${dest}: ${errorMessage(cause)}`, { cause });
  }
}
