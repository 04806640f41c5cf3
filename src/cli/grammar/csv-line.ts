import { InvalidParameterError } from "#errors/errors.ts";

/**
 * Fields of one CSV line: a quoted field may hold commas, and `""` in it is a quote. Throws InvalidParameterError in the words of Go's
 * encoding/csv.
 */
export function csvFields(text: string): readonly string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const field = text[at] === '"' ? quotedField(text, at) : plainField(text, at);
    fields.push(field.value);
    if (field.end >= text.length) return fields;
    at = field.end + 1;
  }
}

interface Field {
  readonly value: string;
  /** Where its comma is, or the end of the text. */
  readonly end: number;
}

function plainField(text: string, at: number): Field {
  const comma = text.indexOf(",", at);
  const end = comma < 0 ? text.length : comma;
  const quote = text.indexOf('"', at);
  if (quote >= 0 && quote < end) throw malformed(quote, 'bare " in non-quoted field');
  return { value: text.slice(at, end), end };
}

function quotedField(text: string, at: number): Field {
  let value = "";
  for (let from = at + 1; ; ) {
    const quote = text.indexOf('"', from);
    if (quote < 0) throw malformed(text.length, 'extraneous or missing " in quoted-field');
    value += text.slice(from, quote);
    const next = text[quote + 1];
    if (next === undefined || next === ",") return { value, end: quote + 1 };
    if (next !== '"') throw malformed(quote, 'extraneous or missing " in quoted-field');
    value += '"';
    from = quote + 2;
  }
}

function malformed(index: number, problem: string): InvalidParameterError {
  return new InvalidParameterError(`parse error on line 1, column ${index + 1}: ${problem}`);
}
