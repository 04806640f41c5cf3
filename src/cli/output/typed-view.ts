/**
 * What came over the wire as Go's structs have it, for `inspect -f`. Docker evaluates templates on structs, where a null list prints `[]`, a field
 * that JSON leaves out is there all the same, an unknown field is an error and a missing key of a map is not.
 */
import { toJson } from "#formats/go-template/functions.ts";
import { GO_TYPE } from "#formats/go-template/values.ts";
import { DEFAULTS, GO_NAMES, isMap, kindOf, nilOf, OCI_CONFIG, ORDERS, TYPES } from "./go-structs.ts";

interface Origin {
  readonly value: unknown;
  /** Where it stands: `HostConfig.Mounts[]`. */
  readonly path: string;
}

/** A document as Go has it, and the way back to what came over the wire. */
export class TypedView {
  readonly #origins: WeakMap<object, Origin> = new WeakMap();
  readonly #goType: string;
  /** The type of the whole, given or found. */
  #kind: string;

  /** `goType` is the type of the whole, which errors name. */
  constructor(goType: string = "") {
    this.#goType = goType;
    this.#kind = goType;
  }

  /** `value` typed; `path` is where it stands. */
  typed(value: unknown, path: string = ""): unknown {
    const name = path.slice(path.lastIndexOf(".") + 1);
    if (value === null) return nilOf(path, name);
    if (typeof value !== "object") return value;
    const view = Array.isArray(value)
      ? this.#list(value, path)
      : isMap(path, name)
        ? this.#map(Object.entries(value), path)
        : this.#struct(Object.entries(value), path);
    this.#origins.set(view, { value, path });
    return view;
  }

  /** `{{json .Config}}`: no more than the engine said, in the order in which Go marshals it. */
  json(part: unknown): string {
    const origin = typeof part === "object" && part !== null ? this.#origins.get(part) : undefined;
    return toJson(origin ? this.#inGoOrder(origin.value, origin.path) : part);
  }

  #list(values: readonly unknown[], path: string): readonly unknown[] {
    const list = values.map((one) => this.typed(one, `${path}[]`));
    // Free-form data is lists of anything.
    const isTexts = !path.startsWith("Status{}") && list.every((one) => typeof one === "string");
    if (isTexts) Object.defineProperty(list, GO_TYPE, { value: "[]string" });
    return list;
  }

  #map(entries: readonly (readonly [string, unknown])[], path: string): Readonly<Record<string, unknown>> {
    return Object.fromEntries(entries.map(([key, one]) => [key, this.typed(one, `${path}{}`)]));
  }

  #struct(entries: readonly (readonly [string, unknown])[], path: string): Readonly<Record<PropertyKey, unknown>> {
    const fields = entries.map(([key, one]) => [key, this.typed(one, path === "" ? key : `${path}.${key}`)]);
    const sent = Object.fromEntries(fields);
    if (path === "") this.#kind = this.#goType || kindOf(sent);
    const zeros = DEFAULTS[path === "" ? this.#kind : path];
    // Elements of lists are known whole, in Go's order; of the others, what may be missing comes last.
    const given: Record<PropertyKey, unknown> = path.endsWith("[]")
      ? { ...zeros, ...sent }
      : { ...sent, ...zeros, ...sent };
    addGoNames(given);
    given[GO_TYPE] = path === "" ? this.#goType : (TYPES[this.#goType]?.[path] ?? path);
    return given;
  }

  #inGoOrder(value: unknown, path: string): unknown {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map((one) => this.#inGoOrder(one, `${path}[]`));
    const isSorted = isMap(path, path.slice(path.lastIndexOf(".") + 1));
    const below = (key: string): string => (isSorted ? `${path}{}` : path === "" ? key : `${path}.${key}`);
    return Object.fromEntries(
      this.#entries(value, path, isSorted).map(([key, one]) => [key, this.#inGoOrder(one, below(key))]),
    );
  }

  /** Go marshals a map by its keys, a struct in the order of its fields. */
  #entries(value: object, path: string, isSorted: boolean): readonly (readonly [string, unknown])[] {
    const entries = Object.entries(value);
    if (isSorted) return entries.sort(([a], [b]) => (a < b ? -1 : 1));
    if (this.#kind === "image.InspectResponse" && path === "Config") {
      return byNames(entries, OCI_CONFIG).filter(([key, one]) => OCI_CONFIG.includes(key) && !isZero(one));
    }
    const order = ORDERS[this.#kind]?.[path];
    return order ? byNames(entries, order) : entries;
  }
}

/** Those that `names` lists in its order, the others behind them. */
function byNames(
  entries: readonly (readonly [string, unknown])[],
  names: readonly string[],
): readonly (readonly [string, unknown])[] {
  const place = (name: string): number => (names.includes(name) ? names.indexOf(name) : names.length);
  return [...entries].sort(([a], [b]) => place(a) - place(b));
}

/** What `omitempty` leaves out. */
function isZero(value: unknown): boolean {
  if (value === null || value === "" || value === false || value === 0) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** Seen by templates, not printed with the struct. */
function addGoNames(struct: Record<PropertyKey, unknown>): void {
  for (const [name, goName] of Object.entries(GO_NAMES)) {
    if (Object.hasOwn(struct, name)) Object.defineProperty(struct, goName, { value: struct[name] });
  }
}
