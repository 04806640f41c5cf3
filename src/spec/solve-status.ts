/**
 * Progress of a build, one update: BuildKit's SolveStatus in the JSON form of `--progress=rawjson`. The builder emits it, the server
 * passes it on or renders the legacy text from it, the CLI draws it. https://github.com/moby/buildkit/blob/master/client/graph.go
 */
export interface SolveStatus {
  readonly vertexes?: readonly Vertex[];
  readonly statuses?: readonly VertexStatus[];
  readonly logs?: readonly VertexLog[];
  readonly warnings?: readonly VertexWarning[];
}

export interface Vertex {
  /** Identity of the vertex within the build: any sha256 digest. */
  readonly digest: string;
  readonly inputs?: readonly string[];
  /** `[2/3] WORKDIR /app`. */
  readonly name: string;
  /** RFC 3339 times. */
  readonly started?: string;
  readonly completed?: string;
  readonly cached?: boolean;
  readonly error?: string;
  /** Berth's own: why a step runs that a former build had cached. */
  readonly reasons?: readonly string[];
}

export interface VertexStatus {
  /** `transferring context:`, `sha256:…`, `exporting layers`. */
  readonly id: string;
  readonly vertex: string;
  readonly name?: string;
  readonly total?: number;
  readonly current: number;
  readonly timestamp: string;
  readonly started?: string;
  readonly completed?: string;
}

export interface VertexLog {
  readonly vertex: string;
  /** 1 stdout, 2 stderr. */
  readonly stream: 1 | 2;
  /** Base64. */
  readonly data: string;
  readonly timestamp: string;
}

export interface VertexWarning {
  readonly vertex: string;
  readonly level: number;
  /** Base64. */
  readonly short: string;
  /** Base64 lines. */
  readonly detail?: readonly string[];
  readonly url?: string;
  /** What `range` is about; `data` is base64. */
  readonly sourceInfo?: { readonly filename: string; readonly language: "Dockerfile"; readonly data: string };
  /** Lines, 1-based and inclusive. */
  readonly range?: readonly { readonly start: { readonly line: number }; readonly end: { readonly line: number } }[];
}

/** A failed build: what the client prints below the progress. Sent as the last line's `errorDetail` next to Docker's `message`. */
export interface BuildFailure {
  readonly message: string;
  readonly code?: number;
  /** Name of the failed vertex and the last lines it printed. */
  readonly vertexName?: string;
  readonly tail?: readonly string[];
  /** The instruction whose image could not be had, before any began: the `number`th (from 1) of `count` that the target needs. */
  readonly step?: { readonly text: string; readonly number: number; readonly count: number };
  /** Where in the Dockerfile. Lines are 1-based and inclusive. */
  readonly source?: {
    readonly filename: string;
    readonly startLine: number;
    readonly endLine: number;
    readonly text: readonly string[];
    readonly firstLine: number;
  };
}
