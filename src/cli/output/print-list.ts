/** Lists as docker prints them: a table, JSON lines, or the user's template. https://github.com/docker/cli/blob/v28.2.2/cli/command/formatter/formatter.go */
import { alignTabs } from "#formats/tabwriter.ts";
import type { Output } from "../streams.ts";
import type { ListShape, Row } from "./row.ts";

export interface ListOptions {
  /** `--format`; empty for the default table. */
  readonly format: string;
  /** Fields of the default table. */
  readonly columns: readonly string[];
  /** The one field that `--quiet` prints; undefined without it. */
  readonly quietField?: string | undefined;
}

/** Prints `rows`. The template engine is loaded only when the user brings a template. Throws InvalidParameterError for a bad one. */
export async function printList(
  out: Output,
  shape: ListShape,
  rows: readonly Row[],
  options: ListOptions,
): Promise<void> {
  await out.write(await formatList(shape, rows, options));
}

/** {@link printList} as text. */
export async function formatList(shape: ListShape, rows: readonly Row[], options: ListOptions): Promise<string> {
  const { format, columns, quietField } = options;
  const isTable = format === "" || format === "table";
  if (quietField !== undefined && isTable) return rows.map((row) => `${row[quietField]}\n`).join("");
  if (isTable) return formatTable(shape, rows, columns);
  if (format === "raw" && shape.raw) return formatRaw(shape.raw, rows, quietField);
  const { formatRows } = await import("./template-list.ts");
  return formatRows(shape, rows, format);
}

/** Refuses a bad template before anything is asked of the engine, where docker does so. Throws InvalidParameterError. */
export async function checkFormat(shape: ListShape, format: string): Promise<void> {
  if (format !== "" && format !== "table") await formatList(shape, [], { format, columns: [] });
}

/** `name: value` a line, a blank line behind each row; with `--quiet` the one line alone. */
function formatRaw(
  names: Readonly<Record<string, string>>,
  rows: readonly Row[],
  quietField: string | undefined,
): string {
  const line = (field: string, row: Row): string => `${names[field]}:${row[field] === "" ? "" : ` ${row[field]}`}\n`;
  if (quietField !== undefined) return rows.map((row) => line(quietField, row)).join("");
  return rows
    .map(
      (row) =>
        `${Object.keys(names)
          .map((field) => line(field, row))
          .join("")}\n`,
    )
    .join("");
}

function formatTable(shape: ListShape, rows: readonly Row[], columns: readonly string[]): string {
  const lines = [
    columns.map((column) => shape.headers[column]),
    ...rows.map((row) => columns.map((name) => row[name])),
  ];
  return alignTabs(lines.map((cells) => `${cells.join("\t")}\n`).join(""));
}
