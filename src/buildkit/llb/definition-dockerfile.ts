import { posix } from "node:path";
import type { NamedContext } from "#build/build-client.ts";
import type { SettingsOfStages, StageSettings } from "#build/graph/stage-settings.ts";
import { InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import type { Op } from "#proto/ops_pb.ts";
import type { Digest } from "#spec/digest.ts";
import type { LlbEdge, LlbGraph } from "./definition-graph.ts";
import { type ExecStage, execStage } from "./exec-stage.ts";
import { fileStages } from "./file-stages.ts";
import { httpLine, httpName, type SourceContexts, sourceStage } from "./source-stage.ts";

/** A definition in the Dockerfile's terms: a stage an operation, and the contexts that the stages copy from. */
export interface DefinitionDockerfile {
  readonly text: string;
  readonly contexts: Readonly<Record<string, NamedContext>>;
  /** What clients call the operation behind a stage, by the stage's name. */
  readonly names: ReadonlyMap<string, string>;
  /** What the instructions have no words for, by the stage's name. */
  readonly settings: SettingsOfStages;
  /** Stages whose steps run although they are cached. */
  readonly uncached: readonly string[];
}

/** Images that outputs have become already, by the operation and the output's index. */
export type MadeImages = ReadonlyMap<string, Digest>;

/** What operations become: lines of stages, named so that others can stand on them. */
export interface StageWriter {
  /** Adds a stage on `base` (the name of another, a context's, an image's, or scratch); gives its name. */
  stage(base: string, lines: readonly string[], settings?: StageSettings): string;
  /** Adds a context; gives its name. */
  context(context: NamedContext): string;
  /** The stage that an operation's input means; scratch for -1. */
  input(index: bigint): string;
  readonly inputCount: number;
  /** An ADD that unpacks the archive behind a URL, when that is what an input is. */
  unpackedSource(index: bigint, path: string, target: string, flags: string): string | undefined;
  readonly sources: SourceContexts;
}

/**
 * Says in a Dockerfile what a definition says, so that the one builder solves both: the cache, the checks and the limits are the same.
 * What a Dockerfile has no word for is refused by name. Throws NotImplementedError, InvalidParameterError.
 */
export function definitionDockerfile(
  graph: LlbGraph,
  sources: SourceContexts,
  made: MadeImages = new Map(),
): DefinitionDockerfile {
  const { result, names, uncached } = graph;
  const operations = neededOperations(graph, made);
  const lines: string[] = [];
  const contexts: Record<string, NamedContext> = {};
  /** Stages by the operation's output. */
  const stages = new Map<string, string>();
  const shown = new Map<string, string>();
  const settings = new Map<string, StageSettings>();
  const anew: string[] = [];
  let count = 0;
  const stage = (base: string, body: readonly string[], own: StageSettings = {}): string => {
    const name = `llb${count++}`;
    if (Object.keys(own).length > 0) settings.set(name, own);
    for (const line of body) refuseLineEnds(line);
    lines.push(`FROM ${base} AS ${name}`, ...body);
    return name;
  };
  const context = (added: NamedContext): string => {
    const name = `llb-context${count++}`;
    contexts[name] = added;
    return name;
  };
  const stageOf = ({ digest, index }: LlbEdge): string => {
    const key = `${digest} ${index}`;
    const image = made.get(key);
    if (image && !stages.has(key)) stages.set(key, context({ kind: "image", id: image }));
    const found = stages.get(key);
    if (!found) throw new InvalidParameterError(`invalid LLB definition: ${digest} has no output ${index}`);
    return found;
  };
  for (const [digest, operation] of operations) {
    const input = (index: bigint): string => {
      if (index === -1n) return "scratch";
      const edge = operation.inputs[Number(index)];
      if (!edge) throw new InvalidParameterError(`invalid LLB definition: ${digest} has no input ${index}`);
      return stageOf({ digest: edge.digest, index: Number(edge.index) });
    };
    const unpackedSource: StageWriter["unpackedSource"] = (index, path, target, flags) => {
      const source = operations.get(operation.inputs[Number(index)]?.digest ?? "")?.op;
      if (source?.case !== "source" || !/^https?:/.test(source.value.identifier)) return undefined;
      if (posix.join("/", path) !== httpName(source.value)) return undefined;
      return httpLine(source.value, target, `${flags} --unpack=true`.trim());
    };
    const inputCount = operation.inputs.length;
    const outputs = outputsOf(operation, { stage, context, input, inputCount, unpackedSource, sources });
    if (uncached.has(digest)) anew.push(...outputs.values());
    const given = names.get(digest);
    for (const [index, name] of outputs) {
      stages.set(`${digest} ${index}`, name);
      if (given !== undefined) shown.set(name, given);
    }
  }
  // The last stage is what is built.
  stage(stageOf(result), []);
  return { text: `${lines.join("\n")}\n`, contexts, names: shown, settings, uncached: anew };
}

/** What the result stands on, down to what is made already. */
function neededOperations({ operations, result }: LlbGraph, made: MadeImages): ReadonlyMap<string, Op> {
  const needed = new Set<string>();
  const waiting: LlbEdge[] = [result];
  for (let edge = waiting.pop(); edge; edge = waiting.pop()) {
    if (made.has(`${edge.digest} ${edge.index}`) || needed.has(edge.digest)) continue;
    needed.add(edge.digest);
    const inputs = operations.get(edge.digest)?.inputs ?? [];
    waiting.push(...inputs.map(({ digest, index }) => ({ digest, index: Number(index) })));
  }
  return new Map([...operations].filter(([digest]) => needed.has(digest)));
}

/** What a client names must not become an instruction of its own. */
function refuseLineEnds(line: string): void {
  if (/[\n\r]/.test(line)) {
    throw new NotImplementedError(
      `an LLB operation with line ends in its words is not supported: ${JSON.stringify(line)}`,
    );
  }
}

/** By index. */
function outputsOf({ op, platform }: Op, writer: StageWriter): ReadonlyMap<number, string> {
  switch (op.case) {
    case "source":
      return new Map([[0, sourceStage(op.value, platform, writer)]]);
    case "exec": {
      const { name, output }: ExecStage = execStage(op.value, writer);
      return new Map([[output, name]]);
    }
    case "file":
      return fileStages(op.value, writer);
    case "merge":
    case "diff":
      throw new InvalidParameterError(`invalid LLB definition: ${op.case} has no result`);
    case "build":
      throw new NotImplementedError("LLB operation build is not supported");
    case undefined:
      throw new InvalidParameterError("invalid LLB definition: an operation of unknown kind");
  }
}
