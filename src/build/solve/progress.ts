import { digestOf } from "#formats/digest.ts";
import type { SolveStatus, Vertex, VertexWarning } from "#spec/solve-status.ts";

/** Lines of a failed step's output that an error shows. As buildx. */
const TAIL_LINES = 10;
/** A last line without an end is not kept beyond this. */
const MAX_LINE = 4096;

/** Tells the client how a build goes, in BuildKit's vocabulary: vertices, their sub-tasks and their output. */
export class BuildProgress {
  readonly #emit: (status: SolveStatus) => void;
  readonly #vertices = new Map<string, VertexProgress>();

  constructor(emit: (status: SolveStatus) => void) {
    this.#emit = emit;
  }

  /** The vertex of this identity; made, and shown under `name`, at the first call. */
  vertex(identity: string, name: string): VertexProgress {
    let vertex = this.#vertices.get(identity);
    if (!vertex) {
      vertex = new VertexProgress(this.#emit, digestOf(identity), name);
      this.#vertices.set(identity, vertex);
    }
    return vertex;
  }

  /** Runs `work` as a vertex of its own; its failure is the vertex's. Others of the same name need an identity. */
  async run<T>(name: string, work: (vertex: VertexProgress) => Promise<T>, identity: string = name): Promise<T> {
    const vertex = this.vertex(identity, name);
    vertex.start();
    try {
      const result = await work(vertex);
      vertex.complete();
      return result;
    } catch (error) {
      vertex.fail(error);
      throw error;
    }
  }

  /** Ends what has been started and not ended: after a failure or an abort. */
  cancelOpen(): void {
    for (const vertex of this.#vertices.values()) vertex.cancel();
  }
}

/** One vertex. Each state is told once; calls that come too late do nothing. */
export class VertexProgress {
  readonly name: string;
  readonly #emit: (status: SolveStatus) => void;
  readonly #digest: string;
  #started: string | undefined;
  #isDone = false;
  #reasons: readonly string[] = [];
  #tail: string[] = [];
  #lastLine = "";

  constructor(emit: (status: SolveStatus) => void, digest: string, name: string) {
    this.name = name;
    this.#emit = emit;
    this.#digest = digest;
  }

  /** The last lines that the step printed. */
  get tail(): readonly string[] {
    return this.#lastLine === "" ? this.#tail : [...this.#tail, this.#lastLine].slice(-TAIL_LINES);
  }

  start(): void {
    if (this.#started !== undefined) return;
    this.#started = now();
    this.#tell({});
  }

  /** Says why the step runs; call it before `start`. */
  explain(reasons: readonly string[]): void {
    this.#reasons = reasons;
  }

  complete(): void {
    this.#end({});
  }

  cached(): void {
    this.#end({ cached: true });
  }

  fail(error: unknown): void {
    this.#end({ error: error instanceof Error ? error.message : String(error) });
  }

  /** BuildKit's text for a vertex that was given up because of another one, or by the user. */
  cancel(): void {
    if (this.#started !== undefined) this.#end({ error: "context canceled" });
  }

  /** A sub-task that has just been done, or stands at `current` of `total` bytes. */
  status(
    id: string,
    progress: { readonly current?: number; readonly total?: number; readonly started?: string } = {},
  ): void {
    const { current = 0, total } = progress;
    const timestamp = now();
    const isDone = total === undefined || current >= total;
    this.#emit({
      statuses: [
        {
          id,
          vertex: this.#digest,
          current,
          ...(total === undefined ? {} : { total }),
          timestamp,
          started: progress.started ?? timestamp,
          ...(isDone ? { completed: timestamp } : {}),
        },
      ],
    });
  }

  /** A remark on the Dockerfile that does not stop the build. */
  warn(message: string): void {
    this.warnOfAll([{ short: Buffer.from(message).toString("base64") }]);
  }

  /** Several at once, so that a display shows them together. */
  warnOfAll(warnings: readonly Omit<VertexWarning, "vertex" | "level">[]): void {
    if (warnings.length === 0) return;
    this.#emit({ warnings: warnings.map((warning) => ({ vertex: this.#digest, level: 1, ...warning })) });
  }

  log(stream: 1 | 2, bytes: Uint8Array): void {
    const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#emit({ logs: [{ vertex: this.#digest, stream, data: data.toString("base64"), timestamp: now() }] });
    const from = tailStart(data);
    const lines = ((from === 0 ? this.#lastLine : "") + data.toString("utf8", from)).split("\n");
    this.#lastLine = (lines.pop() ?? "").slice(0, MAX_LINE);
    this.#tail = [...this.#tail, ...lines.map((line) => line.replace(/\r$/, ""))].slice(-TAIL_LINES);
  }

  #end(outcome: Pick<Vertex, "cached" | "error">): void {
    if (this.#isDone) return;
    this.start();
    this.#isDone = true;
    this.#tell({ completed: now(), ...outcome });
  }

  #tell(state: Partial<Vertex>): void {
    this.#emit({
      vertexes: [
        {
          digest: this.#digest,
          name: this.name,
          ...(this.#started ? { started: this.#started } : {}),
          ...(this.#reasons.length > 0 ? { reasons: this.#reasons } : {}),
          ...state,
        },
      ],
    });
  }
}

/** Where the last lines of a piece of output begin: a flood is not taken apart line by line. */
function tailStart(data: Buffer): number {
  let start = data.length;
  for (let line = 0; line <= TAIL_LINES; line++) {
    const newline = start === 0 ? -1 : data.lastIndexOf("\n", start - 1);
    if (newline < 0) return 0;
    start = newline;
  }
  return start + 1;
}

function now(): string {
  return new Date().toISOString();
}
