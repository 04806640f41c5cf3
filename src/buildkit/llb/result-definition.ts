import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { digestOf } from "#formats/digest.ts";
import { type DefinitionSchema, OpSchema } from "#proto/ops_pb.ts";
import type { Digest } from "#spec/digest.ts";

/** Source of an image that is in the engine's store, by its id: what a result is to those who build upon it. */
export const RESULT_SCHEME = "berth-image://";

/**
 * A result as a definition, which clients hand back when another solve is to build upon it (buildx: `contexts = { base = "target:app" }`). To
 * them its operations are opaque bytes.
 */
export function resultDefinition(image: Digest): MessageInitShape<typeof DefinitionSchema> {
  const source = toBinary(
    OpSchema,
    create(OpSchema, { op: { case: "source", value: { identifier: `${RESULT_SCHEME}${image}` } } }),
  );
  const digest = digestOf(source);
  const result = toBinary(OpSchema, create(OpSchema, { inputs: [{ digest, index: 0n }] }));
  return { def: [source, result], metadata: { [digest]: {}, [digestOf(result)]: {} } };
}
