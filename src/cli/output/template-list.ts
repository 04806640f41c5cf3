import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { type TemplateFunctions, toJson } from "#formats/go-template/functions.ts";
import { Template } from "#formats/go-template/template.ts";
import { GO_TYPE, isObject } from "#formats/go-template/values.ts";
import { alignTabs } from "#formats/tabwriter.ts";
import { escapeHtml } from "./inspect.ts";
import type { ListShape, Row } from "./row.ts";

/** In a table's header, what changes a value leaves the name of the column alone. */
const HEADER_FUNCTIONS: TemplateFunctions = {
  // Of the whole row there is no name.
  json: (value) => (typeof value === "string" ? value : ""),
  title: (value) => value,
  lower: (value) => value,
  upper: (value) => value,
  truncate: (value) => value,
  split: (value) => value,
  join: (value) => value,
};

const ROW_FUNCTIONS: TemplateFunctions = { json: (value) => (isRow(value) ? rowJson(value) : toJson(value)) };

/** Rows by the user's template: `json`, `table {{.ID}}\t…`, or any. Throws InvalidParameterError in docker's words. */
export function formatRows(shape: ListShape, rows: readonly Row[], format: string): string {
  const isTable = isTableFormat(format);
  const { probe } = shape;
  if (probe) {
    // The whole of what the user wrote, as docker does: its errors tell where in that they are.
    const whole = wrapErrors("failed to parse template", () => parseTemplate(format));
    wrapErrors("failed to execute template", () => render(whole, shape, probe()));
  }
  const template = wrapErrors(PARSING, () => parseTemplate(templateOf(format)));
  return wrapErrors(PARSING, () => {
    const lines = rows.map((row) => `${render(template, shape, row)}\n`);
    if (!isTable) return lines.join("");
    return alignTabs(`${headerOf(template, shape)}\n${lines.join("")}`);
  });
}

/** As in docker, a template that only values can go through has a table with an empty header. */
function headerOf(template: Template, shape: ListShape): string {
  const names = { ...shape.headers, Label: (name: string) => labelHeader(name) };
  try {
    return template.execute(names, { functions: HEADER_FUNCTIONS });
  } catch (error) {
    if (error instanceof InvalidParameterError) return "";
    throw error;
  }
}

/** Several lists as one object, for a template. */
export interface ListsObject {
  /** Go's name of the whole, which error messages quote. */
  readonly goType: string;
  readonly lists: Readonly<Record<string, { readonly shape: ListShape; readonly rows: readonly Row[] }>>;
}

/** By the user's template, `json` or any; no line's end comes behind it. Throws InvalidParameterError in docker's words. */
export function formatObject({ goType, lists }: ListsObject, format: string): string {
  const template = wrapErrors(
    PARSING,
    () => new Template(templateOf(format), { functions: { json: (value) => listsJson(value) } }),
  );
  const typed = Object.entries(lists).map(([name, { shape, rows }]) => [
    name,
    rows.map((row) => ({ ...row, [GO_TYPE]: shape.goType })),
  ]);
  return template.execute({ ...Object.fromEntries(typed), [GO_TYPE]: goType });
}

function listsJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(listsJson).join(",")}]`;
  if (!isRow(value)) return toJson(value);
  const lists = Object.entries(value).filter(([, list]) => Array.isArray(list));
  if (lists.length === 0) return rowJson(value);
  return `{${lists.map(([name, rows]) => `${JSON.stringify(name)}:${listsJson(rows)}`).join(",")}}`;
}

const PARSING = "template parsing error";

function isTableFormat(format: string): boolean {
  return format.startsWith("table");
}

/** `json` is a word of its own only when nothing stands around it. */
function templateOf(format: string): string {
  if (format === "json") return "{{json .}}";
  const body = isTableFormat(format) ? format.slice("table".length) : format;
  return body
    .replace(/^ +| +$/g, "")
    .replaceAll("\\t", "\t")
    .replaceAll("\\n", "\n");
}

function parseTemplate(source: string): Template {
  return new Template(source, { functions: ROW_FUNCTIONS });
}

function render(template: Template, shape: ListShape, row: Row): string {
  return template.execute({ ...row, [GO_TYPE]: shape.goType });
}

function wrapErrors<T>(prefix: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new InvalidParameterError(`${prefix}: ${errorMessage(cause)}`, { cause });
  }
}

/** `com.example.my-label` as `my label`. */
function labelHeader(name: string): string {
  return (name.split(".").at(-1) ?? "").replace(/[-_]/g, " ");
}

function isRow(value: unknown): value is Row {
  return isObject(value) && value[GO_TYPE] !== undefined;
}

/**
 * A row as JSON: names sorted, methods with arguments left out, and `<`, `>`, `&` escaped. That last is a quirk of docker's: its
 * rows marshal themselves, with Go's default.
 */
function rowJson(row: Row): string {
  const fields = Object.entries(row).filter(([, value]) => typeof value !== "function");
  const sorted = Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
  return escapeHtml(JSON.stringify(sorted));
}
