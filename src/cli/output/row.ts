import type { GoNil } from "#formats/go-template/values.ts";

/** One line of a list as templates see it: docker's names, texts as the table prints them. */
export type Row = Readonly<Record<string, RowValue>>;

/** A function is a method that takes arguments: `{{.Label "name"}}`. */
export type RowValue = string | boolean | number | GoNil | ((argument: string) => string);

/** What a list is made of. */
export interface ListShape {
  /** Go's name of the row type, which error messages quote. */
  readonly goType: string;
  /** Docker's `--format raw`: what it calls each field, a line each, in this order. Left out when it has no such format. */
  readonly raw?: Readonly<Record<string, string>>;
  /** Header of each field. */
  readonly headers: Readonly<Record<string, string>>;
  /** A row to try a template on before anything is listed: `ps` refuses unknown fields even when there are no containers. */
  probe?(): Row;
}
