/** An extract of the Dockerfile around some lines: what an error message shows. */
export interface SourceFrame {
  /** Number of the first line in `text`, 1-based. */
  readonly firstLine: number;
  readonly text: readonly string[];
}

/**
 * The lines of `range` with some around them, as many as BuildKit shows: at least four in all around a single line, two around several.
 * https://github.com/moby/buildkit/blob/master/solver/errdefs/source.go
 */
export function sourceFrame(
  lines: readonly string[],
  range: { readonly startLine: number; readonly endLine: number },
): SourceFrame {
  let first = Math.max(1, Math.min(range.startLine, lines.length));
  let last = Math.max(first, Math.min(range.endLine, lines.length));
  const padding = first === last ? 4 : 2;
  for (let padded = 0; padded < padding; padded++) {
    if (first > 1) {
      first--;
      padded++;
    }
    if (last < lines.length) {
      last++;
      padded++;
    }
  }
  return { firstLine: first, text: lines.slice(first - 1, last) };
}
