/**
 * What `build --check` finds, in the JSON that BuildKit's `frontend.lint` answers with (lines are 1-based and inclusive).
 * https://github.com/moby/buildkit/blob/master/frontend/subrequests/lint/lint.go
 */
export interface CheckResult {
  readonly warnings: readonly CheckWarning[];
  readonly sources: readonly CheckedSource[];
  /** Why the Dockerfile could not be looked through to its end. */
  readonly buildError?: { readonly message: string; readonly location?: SourceLocation };
}

export interface CheckWarning {
  readonly ruleName: string;
  readonly description?: string;
  readonly url?: string;
  readonly detail?: string;
  readonly location: SourceLocation;
}

export interface CheckedSource {
  readonly filename: string;
  readonly language: "Dockerfile";
  /** Base64. */
  readonly data: string;
}

export interface SourceLocation {
  readonly sourceIndex?: number;
  readonly ranges: readonly LineRange[];
}

export interface LineRange {
  readonly start: { readonly line: number };
  readonly end: { readonly line: number };
}

/** `build --call=targets`: https://github.com/moby/buildkit/blob/master/frontend/subrequests/targets/targets.go */
export interface TargetList {
  readonly targets: readonly BuildTarget[];
  /** Base64. */
  readonly sources: readonly string[];
}

export interface BuildTarget {
  readonly name?: string;
  readonly default?: boolean;
  readonly description?: string;
  readonly base?: string;
  readonly platform?: string;
  readonly location: SourceLocation;
}

/** `build --call=outline`: https://github.com/moby/buildkit/blob/master/frontend/subrequests/outline/outline.go */
export interface BuildOutline {
  readonly name?: string;
  readonly description?: string;
  readonly args?: readonly OutlineArg[];
  readonly secrets?: readonly OutlineMount[];
  readonly ssh?: readonly OutlineMount[];
  readonly cache?: readonly { readonly ID: string; readonly location: SourceLocation }[];
  /** Base64. */
  readonly sources?: readonly string[];
}

export interface OutlineArg {
  readonly name: string;
  readonly description?: string;
  readonly value?: string;
  readonly location: SourceLocation;
}

export interface OutlineMount {
  readonly name: string;
  readonly required?: boolean;
  readonly location: SourceLocation;
}
