import type { JsonMessage } from "#spec/docker-api.ts";
import type { SolveStatus, Vertex } from "#spec/solve-status.ts";

/** `[2/3] WORKDIR /app`, `[build 2/3] RUN make`. */
const STEP_NAME = /^\[(?:\S+ )?\s*(\d+)\/(\d+)\] ([\s\S]*)$/;

/**
 * Renders a build's progress as the classic builder's text, for clients without BuildKit: scripts read `Step 2/3 : …`, ` ---> Using cache`
 * and the command's output. Only instructions that make layers are steps here; the others cost nothing and are not shown.
 */
export class LegacyBuildStream {
  readonly #announced = new Set<string>();
  readonly #finished = new Set<string>();

  /** The lines that an update adds. */
  update(status: SolveStatus): JsonMessage[] {
    return [
      ...(status.vertexes ?? []).flatMap((vertex) => this.#vertex(vertex)),
      ...(status.logs ?? []).map((log) => ({ stream: Buffer.from(log.data, "base64").toString("utf8") })),
    ];
  }

  #vertex(vertex: Vertex): JsonMessage[] {
    const step = STEP_NAME.exec(vertex.name);
    if (!step || !vertex.started) return [];
    const messages: JsonMessage[] = [];
    if (!this.#announced.has(vertex.digest)) {
      this.#announced.add(vertex.digest);
      messages.push({ stream: `Step ${step[1]}/${step[2]} : ${step[3]}` }, { stream: "\n" });
      if (vertex.cached) messages.push({ stream: " ---> Using cache\n" });
    }
    if (vertex.completed && !vertex.error && !this.#finished.has(vertex.digest)) {
      this.#finished.add(vertex.digest);
      messages.push({ stream: ` ---> ${shortId(vertex.digest)}\n` });
    }
    return messages;
  }
}

/** What the classic builder prints last. */
export function legacySuccess(imageId: string, familiarTags: readonly string[]): JsonMessage[] {
  return [
    { aux: { ID: imageId } },
    { stream: `Successfully built ${shortId(imageId)}\n` },
    ...familiarTags.map((tag) => ({ stream: `Successfully tagged ${tag}\n` })),
  ];
}

function shortId(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}
