/** Go's text/tabwriter as docker uses it: columns at least 10 wide, three spaces apart. https://pkg.go.dev/text/tabwriter */

export interface TabOptions {
  readonly minWidth: number;
  readonly padding: number;
}

const DOCKER: TabOptions = { minWidth: 10, padding: 3 };

/**
 * Aligns text whose cells end in tabs. A column is a run of neighbouring lines that have that cell; what follows a line's last
 * tab belongs to no column, so lines do not end in spaces of padding.
 */
export function alignTabs(text: string, options: TabOptions = DOCKER): string {
  const lines = text.split("\n").map((line) => line.split("\t"));
  const widths: number[][] = lines.map(() => []);
  for (let line = 0; line < lines.length; line++) {
    const cells = (lines[line]?.length ?? 1) - 1;
    for (let column = widths[line]?.length ?? 0; column < cells; column++) {
      measureColumn(lines, widths, line, column, options);
    }
  }
  return lines.map((cells, line) => joinCells(cells, widths[line] ?? [])).join("\n");
}

/** Finds the width of the column that begins at `first` and notes it for all its lines. */
function measureColumn(
  lines: readonly (readonly string[])[],
  widths: readonly number[][],
  first: number,
  column: number,
  options: TabOptions,
): void {
  let end = first;
  let width = options.minWidth;
  for (; (lines[end]?.length ?? 0) - 1 > column; end++) {
    width = Math.max(width, textWidth(lines[end]?.[column] ?? "") + options.padding);
  }
  for (let line = first; line < end; line++) {
    const ofLine = widths[line];
    if (ofLine) ofLine[column] = width;
  }
}

function joinCells(cells: readonly string[], widths: readonly number[]): string {
  let line = "";
  for (const [index, cell] of cells.entries()) {
    const width = widths[index];
    line += width === undefined ? cell : cell + " ".repeat(Math.max(0, width - textWidth(cell)));
  }
  return line;
}

/** Go counts code points. */
function textWidth(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : Array.from(text).length;
}
