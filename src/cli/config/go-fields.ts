/**
 * JSON read as Go's encoding/json reads it into a struct that is kept even when something in it is wrong: a value of the wrong type stays empty, the
 * rest counts, and the first complaint is told in Go's words. https://pkg.go.dev/encoding/json#Unmarshal
 */

/** Where a value stands: the struct that it is in, and the way to it through structs; keys of maps are no part of it. */
interface Place {
  readonly struct: string;
  readonly field: string;
}

/** Hears of values that do not fit. */
type Report = (problem: string) => void;

/** How one type of Go's is read. Undefined is its zero value. */
export interface GoField<T> {
  /** As Go prints it: `map[string]string`. */
  readonly goType: string;
  read(value: unknown, place: Place, report: Report): T | undefined;
}

export interface GoDocument<T> {
  readonly value: T | undefined;
  /** What Go's error says; undefined when all of it fits. */
  readonly problem: string | undefined;
}

/** Reads a parsed document. */
export function readGoDocument<T>(field: GoField<T>, document: unknown): GoDocument<T> {
  const problems: string[] = [];
  const value = field.read(document, { struct: "", field: "" }, (problem) => problems.push(problem));
  return { value, problem: problems[0] };
}

export const goText: GoField<string> = {
  goType: "string",
  read: (value, place, report) => (typeof value === "string" ? value : unfit<string>(value, "string", place, report)),
};

export const goTextList: GoField<readonly string[]> = {
  goType: "[]string",
  read(value, place, report) {
    if (!Array.isArray(value)) return unfit<readonly string[]>(value, "[]string", place, report);
    return value.map((item) => goText.read(item, place, report) ?? "");
  },
};

/** `map[string]T`; `zero` is what an entry is that does not fit. */
export function goMap<T>(field: GoField<T>, zero: T): GoField<Readonly<Record<string, T>>> {
  const goType = `map[string]${field.goType}`;
  return {
    goType,
    read(value, place, report) {
      if (!isRecord(value)) return unfit(value, goType, place, report);
      return Object.fromEntries(
        Object.entries(value).map(([key, given]) => [key, field.read(given, place, report) ?? zero]),
      );
    },
  };
}

/** A struct, all of whose fields may be left out. Names match without regard to case. */
export function goStruct<T extends object>(
  goType: string,
  fields: { readonly [K in keyof T]-?: GoField<NonNullable<T[K]>> },
): GoField<Partial<T>> {
  const byName = new Map(
    Object.entries<GoField<unknown>>(fields).map(([name, field]) => [name.toLowerCase(), { name, field }]),
  );
  const struct = goType.slice(goType.indexOf(".") + 1);
  return {
    goType,
    read(value, place, report) {
      if (!isRecord(value)) return unfit(value, goType, place, report);
      const result: Record<string, unknown> = {};
      for (const [key, given] of Object.entries(value)) {
        const known = byName.get(key.toLowerCase());
        if (!known) continue;
        const path = place.field === "" ? known.name : `${place.field}.${known.name}`;
        const read = known.field.read(given, { struct, field: path }, report);
        if (read !== undefined) result[known.name] = read;
      }
      return result as Partial<T>;
    },
  };
}

function unfit<T>(value: unknown, goType: string, place: Place, report: Report): T | undefined {
  if (value === null || value === undefined) return undefined;
  const into =
    place.field === ""
      ? `Go value of type ${goType}`
      : `Go struct field ${place.struct}.${place.field} of type ${goType}`;
  report(`json: cannot unmarshal ${kindOf(value)} into ${into}`);
  return undefined;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
