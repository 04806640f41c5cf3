/**
 * `POST /build?berthadvise=1`: how the builds of a Dockerfile could be shorter and smaller. Every figure was measured in recorded builds; what is
 * not known is absent. Times are milliseconds, sizes bytes.
 */
export interface BuildAdvice {
  /** Recorded builds that were looked at, the latest first; only those that ended well count in times. */
  readonly builds: number;
  readonly steps: readonly StepHistory[];
  readonly proposals: readonly Proposal[];
  /** All proposals as a unified diff of the Dockerfile; "" when there is none. */
  readonly diff: string;
  /** What the recorded builds took in steps, and would have taken with the diff; absent when that cannot be said. */
  readonly effect?: { readonly builds: number; readonly before: number; readonly after?: number };
  readonly context?: ContextSizes;
  readonly layers: readonly LayerFinding[];
  /** What the records show and no rule can prove to be safe to change. */
  readonly remarks: readonly string[];
}

export interface StepHistory {
  readonly name: string;
  /** Builds in which it ran, of those that had it. */
  readonly ran: number;
  readonly builds: number;
  /** Median of the times that it took; absent when it never ran. */
  readonly typical?: number;
}

export interface Proposal {
  readonly text: string;
  /** Lines of the Dockerfile that it changes, 1-based and inclusive. */
  readonly startLine: number;
  readonly endLine: number;
}

export interface ContextSizes {
  readonly size: number;
  readonly files: number;
  /** The largest directories and files of the context's root. */
  readonly largest: readonly { readonly path: string; readonly size: number }[];
  /** Lines for .dockerignore, and what each leaves out. */
  readonly ignore: readonly { readonly line: string; readonly size: number }[];
}

export interface LayerFinding {
  /** Of the step whose layer it is. */
  readonly step: string;
  readonly kind: "deletes" | "cache";
  readonly text: string;
  readonly size: number;
}
