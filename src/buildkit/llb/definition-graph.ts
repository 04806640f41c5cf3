import { fromBinary } from "@bufbuild/protobuf";
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import { type Definition, type Op, OpSchema } from "#proto/ops_pb.ts";

/** Clients send tens; a graph is walked and answered in memory. */
const MAX_OPERATIONS = 10_000;

/** One output of an operation. */
export interface LlbEdge {
  readonly digest: string;
  readonly index: number;
}

/** A definition, decoded. */
export interface LlbGraph {
  /** By digest; inputs stand before what takes them. */
  readonly operations: ReadonlyMap<string, Op>;
  readonly result: LlbEdge;
  /** What clients call an operation in their display, by digest. */
  readonly names: ReadonlyMap<string, string>;
  /** Operations that are carried out although they are cached, by digest. */
  readonly uncached: ReadonlySet<string>;
}

/**
 * Decodes a definition. Operations name their inputs by digest, so that there are no cycles; here it is seen to that each is there. Throws
 * InvalidParameterError. https://github.com/moby/buildkit/blob/master/docs/dev/solver.md
 */
export function definitionGraph({ def, metadata }: Definition): LlbGraph {
  if (def.length > MAX_OPERATIONS) throw invalid(`it has more than ${MAX_OPERATIONS} operations`);
  const operations = new Map<string, Op>();
  let last: Op | undefined;
  for (const bytes of def) {
    last = decode(bytes);
    for (const { digest } of last.inputs) {
      if (!operations.has(digest))
        throw invalid(`an operation takes ${JSON.stringify(digest)}, which is not before it`);
    }
    operations.set(digestOf(bytes), last);
  }
  const [input] = last?.inputs ?? [];
  if (!last || last.op.case !== undefined || last.inputs.length !== 1 || !input) {
    throw invalid("its last operation must name the result, and nothing else");
  }
  operations.delete([...operations.keys()].at(-1) ?? "");
  const names = Object.entries(metadata).flatMap(([digest, { description }]) => {
    const name = description["llb.customname"];
    return name ? [[digest, name] as const] : [];
  });
  const uncached = Object.entries(metadata).flatMap(([digest, { ignoreCache }]) => (ignoreCache ? [digest] : []));
  const result = { digest: input.digest, index: Number(input.index) };
  return { operations, result, names: new Map(names), uncached: new Set(uncached) };
}

function decode(bytes: Uint8Array): Op {
  try {
    return fromBinary(OpSchema, bytes);
  } catch (cause) {
    throw new InvalidParameterError(`invalid LLB definition: ${errorMessage(cause)}`, { cause });
  }
}

function invalid(reason: string): InvalidParameterError {
  return new InvalidParameterError(`invalid LLB definition: ${reason}`);
}
