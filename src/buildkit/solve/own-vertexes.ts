import { digestOf } from "#formats/digest.ts";
import type { SolveStatus } from "#spec/solve-status.ts";

/** A step of a Dockerfile: `[2/3] RUN make`, `[app 1/2] FROM busybox`. */
const STEP = /^\[(?:\S+ ){0,2} ?\d+\/\d+\] /;

/**
 * Gives a solve's own vertexes identities of their own. Clients show several solves in one display and take vertexes of one digest as one: right
 * for steps, which are worked on once for all of them; wrong for loading a definition or exporting an image, which each solve does for itself.
 */
export class OwnVertexes {
  readonly #salt: string;
  readonly #own = new Map<string, string>();

  constructor(ref: string) {
    this.#salt = ref;
  }

  /** The same update; a vertex is told of before what belongs to it. */
  apply(status: SolveStatus): SolveStatus {
    for (const { digest, name } of status.vertexes ?? []) {
      if (!this.#own.has(digest) && !STEP.test(name)) this.#own.set(digest, digestOf(`${this.#salt} ${digest}`));
    }
    const of = (digest: string): string => this.#own.get(digest) ?? digest;
    return {
      ...(status.vertexes ? { vertexes: status.vertexes.map((one) => ({ ...one, digest: of(one.digest) })) } : {}),
      ...(status.statuses ? { statuses: status.statuses.map((one) => ({ ...one, vertex: of(one.vertex) })) } : {}),
      ...(status.logs ? { logs: status.logs.map((one) => ({ ...one, vertex: of(one.vertex) })) } : {}),
      ...(status.warnings ? { warnings: status.warnings.map((one) => ({ ...one, vertex: of(one.vertex) })) } : {}),
    };
  }
}
