import type { Definition } from "#proto/ops_pb.ts";

/**
 * Whether a definition has nothing to solve: absent, or scratch, which clients marshal as no operation at all or as one empty one.
 */
export function isEmptyDefinition(definition: Definition | undefined): boolean {
  return (definition?.def ?? []).every((operation) => operation.length === 0);
}
